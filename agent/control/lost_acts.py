"""The acts that the log holds and the registry does not: what accepting an older registry gives up.

Rules of this file: entries as the index has them, and pure questions to them. Whether the list is whole is said with
it, because an index that is being made again does not hold everything yet.
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
    """The entries of these acts, oldest first. *whole*: that is all of them."""

    entries: tuple[Entry, ...]
    whole: bool


def lost_acts(services: ControlServices, patience: float = 0.0) -> LostActs:
    """Return them; wait *patience* seconds at most for the index to hold all of the log.

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
    # A registry that remembers no entry holds what its epoch says.
    lost = [act for act in standing if since or act.epoch > epoch]
    return LostActs(tuple(entries[act.seq] for act in lost), indexed and len(rows) < _MOST)


def added_areas(entries: Iterable[Entry]) -> tuple[AreaRow, ...]:
    """Return the areas that these acts brought and did not take away again, as far as they are enforced now."""
    found: dict[str, AreaRow] = {}
    modes: dict[str, bool] = {}
    for entry in entries:
        args = entry.get("args") or {}
        if entry.get("act") == "area.add":
            with suppress(KeyError, ValueError):  # an entry that was cut, or another program's
                resource = Resource(args["name"], Level.parse(args["level"]), args["domain"], mode=Mode.ENFORCE)
                volume = {name: args[name] for name in ("sharing", "accept_links") if args.get(name)}
                found[resource.id] = AreaRow(resource, args["path"], "quiet", volume=volume)
                modes[resource.id] = not args.get("observe")
        else:
            _turn(modes, entry)
    return tuple(row for name, row in found.items() if modes.get(name))


def enforced_areas(entries: Iterable[Entry]) -> frozenset[str]:
    """Return the areas that these acts have put from observing to enforcing, and left there."""
    modes: dict[str, bool] = {}
    for entry in entries:
        _turn(modes, entry)
    return frozenset(name for name, enforced in modes.items() if enforced)


def named_roles(lost: LostActs) -> RoleGroups | None:
    """Return the role groups as the last of these acts left them, ``None`` when none of them named any."""
    for entry in reversed(lost.entries):
        if entry.get("act") == "role.set":
            groups = (entry.get("args") or {}).get("groups")
            return read(json.dumps(groups)) if isinstance(groups, dict) else NOBODY
    return None


def glass_is_as_it_was(lost: LostActs) -> bool:
    """Whether none of these acts sealed, opened or closed the break-glass, as far as they are known."""
    return lost.whole and bool(lost.entries) and not any(_names_the_glass(entry) for entry in lost.entries)


def _names_the_glass(entry: Entry) -> bool:
    return str(entry.get("act")).startswith("breakglass.")


def _turn(modes: dict[str, bool], entry: Entry) -> None:
    """Take in what an act makes of an area: enforced, or not."""
    area = str((entry.get("args") or {}).get("area"))
    if entry.get("act") == "area.enforce":
        modes[area] = True
    elif entry.get("act") in ("area.observe", "area.remove"):
        modes[area] = False


def stops(entries: Iterable[Entry], person: str) -> bool:
    """Whether one of these acts is a hold on *person*, or their departure.

    That a later one lifts it counts for nothing here: lifting takes two officers, and another one can accept.
    """
    return any(entry.get("act") in _STOPPING and (entry.get("args") or {}).get("person") == person for entry in entries)


def _act(seq: int, entry: Entry) -> LoggedAct:
    return LoggedAct(seq, int(entry.get("epoch") or 0), str(entry.get("change", "")), entry["outcome"] == "done")
