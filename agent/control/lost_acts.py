"""Lost acts: acts that the log holds and an older registry does not, and that accepting it would give up.

Rules of this file: entries from the index, and pure functions on them. The list carries whether it is complete, because
an index that is being rebuilt does not hold everything yet.
"""

import json
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from agent.control.services import ControlServices
from agent.log import backward
from agent.log.search import Filter, last_seq, query
from agent.registry.lineage import LoggedAct, standing_acts
from agent.registry.rows.areas import AreaRow
from agent.runtime.config import RoleGroups
from agent.site.role_groups import NOBODY, read
from rules.model import Level, Mode, Resource

_MOST = 100_000
_OUTCOMES = ("done", "not-completed")
_STOPPING = frozenset({"hold.add", "case.open", "case.notice", "case.approve", "case.advance", "case.carry-out"})

Entry = dict[str, Any]


class LostActs(NamedTuple):
    """The entries of the lost acts, oldest first. *whole*: the list is complete."""

    entries: tuple[Entry, ...]
    whole: bool


def lost_acts(services: ControlServices, patience: float = 0.0) -> LostActs:
    """Return the lost acts; wait at most *patience* seconds for the index to hold all of the log.

    Raises :class:`agent.errors.ShoumiError`, and ``OSError`` when the log cannot be read.
    """
    site = services.site
    last, deadline = backward.last(site.home.log), time.monotonic() + patience
    services.indexer.fresh()
    while not (indexed := last_seq(site.home.index) >= last) and time.monotonic() < deadline:
        services.indexer.fresh()
    since, epoch = site.stores.now.since, site.facts.epoch()
    rows = list(query(site.home.index, Filter(kind="act", after_seq=since, limit=_MOST)))
    entries = {row.seq: entry for row in reversed(rows) if (entry := row.entry).get("outcome") in _OUTCOMES}
    standing = standing_acts(tuple(_act(seq, entry) for seq, entry in entries.items()))
    # A registry that refers to no entry is compared by its epoch.
    lost = [act for act in standing if since or act.epoch > epoch]
    return LostActs(tuple(entries[act.seq] for act in lost), indexed and len(rows) < _MOST)


def added_areas(entries: Iterable[Entry]) -> tuple[AreaRow, ...]:
    """Return the areas that these acts added and did not remove, as far as they are enforced."""
    rows: dict[str, AreaRow] = {}
    modes: dict[str, bool] = {}
    for entry in entries:
        args = entry.get("args") or {}
        if entry.get("act") == "area.add":
            with suppress(KeyError, ValueError):  # a truncated entry, or one of another program
                resource = Resource(args["name"], Level.parse(args["level"]), args["domain"], mode=Mode.ENFORCE)
                volume = {name: args[name] for name in ("sharing", "accept_links") if args.get(name)}
                rows[resource.id] = AreaRow(resource, args["path"], "quiet", volume=volume)
                modes[resource.id] = not args.get("observe")
        else:
            _turn(modes, entry)
    return tuple(row for name, row in rows.items() if modes.get(name))


def enforced_areas(entries: Iterable[Entry]) -> frozenset[str]:
    """Return the areas that these acts changed from observe to enforce mode and left there."""
    modes: dict[str, bool] = {}
    for entry in entries:
        _turn(modes, entry)
    return frozenset(name for name, enforced in modes.items() if enforced)


def named_roles(lost: LostActs) -> RoleGroups | None:
    """Return the role groups after the last of these acts, ``None`` when none of them set any."""
    for entry in reversed(lost.entries):
        if entry.get("act") == "role.set":
            groups = (entry.get("args") or {}).get("groups")
            return read(json.dumps(groups)) if isinstance(groups, dict) else NOBODY
    return None


def glass_is_as_it_was(lost: LostActs) -> bool:
    """Return whether the list is complete and none of these acts concerns break-glass access."""
    return lost.whole and bool(lost.entries) and not any(_names_the_glass(entry) for entry in lost.entries)


def _names_the_glass(entry: Entry) -> bool:
    return str(entry.get("act")).startswith("breakglass.")


def _turn(modes: dict[str, bool], entry: Entry) -> None:
    """Apply the mode that an act sets for an area to *modes*."""
    area = str((entry.get("args") or {}).get("area"))
    if entry.get("act") == "area.enforce":
        modes[area] = True
    elif entry.get("act") in ("area.observe", "area.remove"):
        modes[area] = False


def stops(entries: Iterable[Entry], person: str) -> bool:
    """Return whether one of these acts is a hold on *person*, or their departure.

    A later lift does not count: lifting takes two officers, and another officer can accept.
    """
    return any(entry.get("act") in _STOPPING and (entry.get("args") or {}).get("person") == person for entry in entries)


def _act(seq: int, entry: Entry) -> LoggedAct:
    return LoggedAct(seq, int(entry.get("epoch") or 0), str(entry.get("change", "")), entry["outcome"] == "done")
