"""Checks that ``shoumi doctor`` makes itself: of this host, and of the files of an agent that is not running.

Rules of this file: it only reads. A file that cannot be read is a finding, and the others are still checked.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from agent.api.findings import Finding
from agent.doctor import leave_checks, login_checks, registry_checks, role_checks, store_checks
from agent.errors import FatalError, ShoumiError
from agent.log.verify import verify
from agent.registry.facts import FactsReader
from agent.registry.queries.registry_queries import RegistryQueries
from agent.registry.stores import look
from agent.runtime import config
from agent.runtime.config import RoleGroups
from agent.runtime.home import Home
from agent.runtime.os_groups import gid_of
from agent.site import program_file, role_groups, trial
from agent.volumes.host_abilities import abilities
from agent.volumes.planning import plan_area
from agent.volumes.probe import probe, tier_of
from agent.volumes.status import too_low
from agent.volumes.survey import survey_directory
from rules.pack.reader import PackError, load
from rules.text import Message, Text
from rules.tiers import MinimumTier, below, strictest
from rules.visible import visible


def host() -> Iterator[Finding]:
    """Yield the abilities of the kernel."""
    for ability in abilities():
        state: Any = "good" if ability.ok else "serious" if ability.needed else "warning"
        yield Finding(state, ability.name, ability.detail, ability.remedy)


def files(home: Home) -> Iterator[Finding]:
    """Yield the findings about the files of an agent that is not running."""
    if not home.config.exists():
        return
    configured: MinimumTier = "C"
    try:
        settings = config.load(home.config)
        configured = settings.minimum_tier
        with FactsReader(home.registry) as reader:
            groups = role_groups_of(home, reader)
            yield from role_checks.roles(groups, settings.roles, gid_of)
            yield from login_checks.logins(trial=not groups.configured)
            yield from login_checks.services(reader.programs(), program_file.trouble)
    except ShoumiError as error:
        yield Finding("serious", "settings", error.text, error.hint)
    try:
        pack = load(home.pack.read_text(encoding="utf-8"))
        yield Finding("good", "pack", Message("doctor.pack-in-force", pack=pack.id))
        yield from _registry(home, strictest((configured, pack.protection.minimum_tier if pack.protection else "C")))
        yield from registry_checks.zone(pack, datetime.now(UTC))
        with RegistryQueries(home.registry) as lists:
            yield from registry_checks.observing(lists.areas.find())
            yield from registry_checks.expiring(lists, pack, datetime.now(UTC))
            yield from leave_checks.overdue(lists, datetime.now(UTC))
    except (OSError, UnicodeDecodeError, PackError) as error:
        reason = error.text if isinstance(error, PackError) else str(error)
        check = f"shoumi --home {visible(str(home.root))} pack check"
        yield Finding("serious", "pack", Message("doctor.pack-unreadable", error=reason), Text(check, check))
    except (ShoumiError, FatalError) as error:
        yield Finding("serious", "registry", error.text, getattr(error, "hint", None))
    yield from registry_checks.log_room(home)
    yield from _log(home)


def role_groups_of(home: Home, reader: FactsReader) -> RoleGroups:
    """Return the groups of the roles as a starting agent would use them. Raises what *reader* raises."""
    groups = role_groups.read(reader.role_groups())
    return role_groups.NOBODY if not groups.configured and trial.is_over(home) else groups


def lost_roles(home: Home) -> Iterator[Finding]:
    """Yield the finding that nobody can be an officer, for root: a running agent tells officers only."""
    with suppress(ShoumiError, FatalError), FactsReader(home.registry) as reader:
        if role_groups_of(home, reader) == role_groups.NOBODY:
            yield role_checks.lost()


def _registry(home: Home, minimum: MinimumTier) -> Iterator[Finding]:
    with FactsReader(home.registry) as facts:
        epoch, rows = facts.epoch(), facts.areas()
        if os.access(home.log, os.R_OK | os.X_OK):
            yield from store_checks.stores(look(facts, home), facts)
    yield Finding("good", "registry", Message("doctor.registry-intact", epoch=epoch))
    places = [(row.resource.id, row.path) for row in rows]
    for row in rows:
        name = visible(str(row.resource.id))
        try:
            other_places = [place for place in places if place[1] != row.path]
            plan = plan_area(survey_directory(row.path, home.root, other_places), accept_links=True)
        except ShoumiError as error:
            text = Message("doctor.area-not-protectable", name=name, text=error.text)
            yield Finding("serious", "area", text, error.hint)
            continue
        tier = tier_of(probe(plan.path), plan.sharing)
        if tier != "none" and below(tier, minimum):
            yield too_low(row.resource.id, tier, minimum)
            continue
        state: Any = "good" if tier != "none" else "serious"
        text = Message("doctor.area-unprotected", name=name, tier=tier)
        yield Finding(state, "area", text)


def _log(home: Home) -> Iterator[Finding]:
    if not os.access(home.log, os.R_OK | os.X_OK):
        return
    report = verify(home.log)
    if report.ok:
        yield Finding("good", "log", Message("doctor.log-intact", count=report.entries))
    else:
        count = len(report.problems) + report.more
        start = f"shoumi --home {visible(str(home.root))} log verify"
        yield Finding("serious", "log", Message("doctor.log-problems", count=count), Text(start, start))
