"""Reconciliation of registry and log at the start of the control process.

Rules of this file:
- nothing false is recorded: only the act that was under way is recorded as not completed;
- a registry that lacks acts of the log stays as it is until officers accept it or restore the right one. Areas that
  only the log knows, or knows to be enforced, stay closed meanwhile, and role groups that only the log knows are in
  force: neither a copy of a registry nor a registry that lost them brings the trial back;
- a log that lacks acts of the registry (a power cut with ``durability = "process"``, or a log from a backup) is an
  alarm, and both continue from there: the registry denies no less than before.
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
from rules.text import Message

LOG_OLDER = "log-older"  # the kind of the entry and of the alarm
_PATIENCE = 10.0  # seconds a start waits for the index to hold all of the log


def begin(services: ControlServices) -> tuple[AreaRow, ...]:
    """Settle the differences and record them for officers; return the areas that only the log knows.

    Raises :class:`agent.errors.ShoumiError` when they cannot be recorded; then the start must fail.
    """
    site = services.site
    state = site.stores.look(site.facts)
    if state.unfinished is not None:
        transaction.not_completed(services.decider, state.unfinished)
    if state.unfinished is not None or not state.older:
        services.intent.clear()
    if state.older:
        return _older(services)
    site.home.logged_areas.unlink(missing_ok=True)
    if state.log_short:
        _log_older(services, state.since)
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
    """Store for the decider the areas that the log knows to be enforced, whatever the registry says."""
    path = services.site.home.logged_areas
    fresh = path.with_suffix(".new")
    with open(fresh, "w", encoding="utf-8", opener=private) as file:
        json.dump(areas, file)
    fresh.replace(path)


def _log_older(services: ControlServices, since: int) -> None:
    """Record that the log ends before the registry, raise the alarm, and bind the registry to the present log."""
    site = services.site
    newest = site.facts.newest_change()
    newest_entry = newest.entry if newest else since
    text = Message("control.log-behind-registry", since=since, newest=newest_entry)
    change = secrets.token_hex(8)
    fields = {"kind": LOG_OLDER, "alarm": True, "epoch": site.facts.epoch(), "change": change, "after": since}
    seq = services.decider.append({**fields, "known": newest_entry, "reason": text.to_json()})
    with services.registry.note(site.now()) as note:
        note.recorded.forget_after(since)
        note.recorded.add(seq, change)
        note.alarms.add(LOG_OLDER, text, seq=seq)
    site.stores.look(site.facts)
