"""Stale deny entries: removal when a person is rehired, or a uid is reassigned or deleted.

Rules of this file: the registry decides what is stale, by the rule that decides every open; only the time of the last
check is kept, because time alone can restore rights. The entries of an area are removed in one pass for all uids, and a
log entry lists them. Entries that cannot be reached stay in the ledger and are retried.
"""

import os
import pwd
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from agent.control.offboarding.triggers import allowed
from agent.offboard.context import AreaPath, RevocationContext
from agent.offboard.deny_entries import DeniedAccount, DenyLedger, stale
from agent.offboard.steps import acl
from agent.site.context import SiteContext
from rules.decide import decide
from rules.model import Level, Request, Resource

AGAIN = 30.0  # seconds after which it is checked again without a change


class StaleDenials:
    """Removes stale deny entries. Belongs to one thread; *host* walks the areas."""

    def __init__(self, site: SiteContext, ledger: DenyLedger, host: RevocationContext) -> None:
        self._site = site
        self._ledger = ledger
        self._host = host
        self._checked: tuple[int, float] | None = None

    def step(self) -> None:
        """Remove stale entries, if any may have become stale.

        Raises ``ShoumiError``; the next step retries.
        """
        epoch, now = self._site.facts.epoch(), time.monotonic()
        if self._checked is not None and self._checked[0] == epoch and now < self._checked[1] + AGAIN:
            return
        areas = {area.name: area for area in self._host.areas()}
        rows = self._ledger.standing(areas.values())
        stale_uids = stale_now(self._site, rows) if rows else {}
        for place, uids in stale_uids.items():
            self._clear(areas.get(place.name, place), uids)
        self._checked = epoch, now

    def _clear(self, area: AreaPath, uids: frozenset[int]) -> None:
        if self._site.facts.resource(area.name) is None and not os.path.lexists(area.path):
            self._ledger.removed(uids, (area.name,))  # the directory was deleted, and its deny entries with it
            return
        tour = acl.take_away(uids, area, self._host)
        if tour.changed or not tour.trouble_count:
            counts = {"changed": tour.changed, "not_reached": tour.trouble_count}
            self._host.append({"kind": "deny-entries", "area": area.name, "uids": sorted(uids), **counts})
        if not tour.trouble_count:
            self._ledger.removed(uids, (area.name,))


def stale_now(site: SiteContext, rows: list[DeniedAccount]) -> dict[AreaPath, frozenset[int]]:
    """Return the stale entries among *rows*, as :func:`agent.offboard.deny_entries.stale`."""
    return stale(rows, site.facts.person_of_uid, free, may_open(site))


def free(uid: int) -> bool:
    """Return whether this host has no account with *uid*."""
    with suppress(KeyError):
        pwd.getpwuid(uid)
        return False
    return True


def may_open(site: SiteContext) -> Callable[[str, str], bool]:
    """Return a function: may a person open an area now; for an unknown area, may they open anything.

    People who have left are looked up once: they may open nothing.
    """
    departed: dict[str, bool] = {}

    def may(person: str, area: str) -> bool:
        if person not in departed:
            departed[person] = _has_left(site, person, area)
        if departed[person]:
            return False
        return site.facts.resource(area) is None or allowed(site, person, area)

    return may


def _has_left(site: SiteContext, person: str, area: str) -> bool:
    """Return whether a departure of *person* is approved, or a hold is in force."""
    _, facts = site.facts.facts([person], area)
    if person not in facts.persons:
        return True
    if area not in facts.resources:  # the rules need a resource
        facts = replace(facts, resources={area: Resource(area, Level.INTERNAL, "")})
    verdict = decide(Request((person,), area), facts, site.pack(), site.now())
    return any(not finding.ok and finding.rule in ("hold", "departure") for finding in verdict.findings)
