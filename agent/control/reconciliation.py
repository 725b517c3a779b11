"""Registry and log held against each other at the start of the control process, and what follows from it.

Rules of this file:
- nothing false is written: that an act was not completed is said of the one that was under way, and of no other;
- a registry that lacks acts of the log stays as it is until officers accept it or put the right one back. Areas that
  only the log knows, or knows to be enforced, stay closed meanwhile, and role groups that only the log knows are the
  site's: no copy of a registry brings the trial back, nor does one that has lost them;
- a log that lacks acts of the registry (a power cut with ``durability = "process"``, or a log from a backup) is an
  alarm, and both go on from there: the registry denies nobody less than it did.
"""

import json
import secrets
from collections.abc import Mapping

from agent.control import transaction, trial_end
from agent.control.lost_acts import added_areas, enforced_areas, lost_acts, named_roles
from agent.control.services import ControlServices
from agent.registry.rows.areas import AreaRow
from agent.registry.stores import OLDER
from agent.runtime.ours import private
from agent.site.role_groups import NOBODY
from rules.text import Text

LOG_OLDER = "log-older"  # the kind of the entry and of the alarm
_PATIENCE = 10.0  # seconds a start waits for the index to hold all of the log


def begin(services: ControlServices) -> tuple[AreaRow, ...]:
    """Settle what the comparison shows, and record what officers must know; return the areas that only the log knows.

    Raises :class:`agent.errors.ShoumiError` when it cannot be recorded: then the start must fail.
    """
    site = services.site
    found = site.stores.look(site.facts)
    if found.unfinished is not None:
        transaction.not_completed(services.decider, found.unfinished)
    if found.unfinished is not None or not found.older:
        services.intent.clear()
    if found.older:
        return _older(services)
    site.home.logged_areas.unlink(missing_ok=True)
    if found.log_short:
        _log_older(services, found.since)
    trial_end.settle(services)
    return ()


def _older(services: ControlServices) -> tuple[AreaRow, ...]:
    site, rows = services.site, services.site.facts.areas()
    lost = lost_acts(services, _PATIENCE)
    site.logged_roles = named_roles(lost) or (None if lost.whole or site.role_groups().configured else NOBODY)
    names, paths = {row.resource.id for row in rows}, {row.path for row in rows}
    added = [row for row in added_areas(lost.entries) if row.resource.id not in names and row.path not in paths]
    _tell_areas(services, dict.fromkeys(enforced_areas(lost.entries)) | {row.resource.id: row.path for row in added})
    ends = {"first": lost.entries[0]["seq"], "last": lost.entries[-1]["seq"]} if lost.entries else {}
    services.decider.append(
        {
            "kind": "registry-older",
            "alarm": True,
            "epoch": site.epoch(),
            "registry_epoch": site.facts.epoch(),
            "acts": len(lost.entries),
            **ends,
            "reason": OLDER.to_json(),
        }
    )
    return tuple(added)


def _tell_areas(services: ControlServices, areas: Mapping[str, str | None]) -> None:
    """Tell the decider which areas the log knows to be enforced, whatever the registry says of them."""
    path = services.site.home.logged_areas
    fresh = path.with_suffix(".new")
    with open(fresh, "w", encoding="utf-8", opener=private) as file:
        json.dump(areas, file)
    fresh.replace(path)


def _log_older(services: ControlServices, since: int) -> None:
    """Record that the log ends before the registry does, raise the alarm, and tie the registry to the log as it is."""
    site = services.site
    newest = site.facts.newest_change()
    known = newest.entry if newest else since
    text = Text(
        f"the log lacks what the registry knows: after entry {since} it went another way, and {known} is known",
        f"日志缺少登记库所知的内容：自第 {since} 条之后不一致，而登记库已知至第 {known} 条",
    )
    change = secrets.token_hex(8)
    fields = {"kind": LOG_OLDER, "alarm": True, "epoch": site.facts.epoch(), "change": change, "after": since}
    seq = services.decider.append({**fields, "known": known, "reason": text.to_json()})
    with services.registry.note(site.now()) as note:
        note.recorded.forget_after(since)
        note.recorded.add(seq, change)
        note.alarms.add(LOG_OLDER, text, seq=seq)
    site.stores.look(site.facts)
