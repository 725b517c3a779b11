"""Areas whose volume an officer has had let go of: they stay closed, whatever stands in their place.

Rules of this file: it covers and never uncovers. What is mounted there is covered though it may carry a mark: nobody
has proven it. Belongs to :class:`agent.volumes.protection.Protection`, which lets one thread at a time work.
"""

import contextlib
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from pathlib import Path

from agent.api.findings import Finding
from agent.kernel import mountinfo, mounting
from agent.kernel.cover import GuardedPlace
from agent.kernel.fanotify import FanotifyGroups
from agent.kernel.mountinfo import Mount
from agent.registry.rows.areas import AreaRow
from agent.volumes import guarding
from agent.volumes.places import GuardedPlaces
from agent.volumes.planning import AreaPlan, doors
from agent.volumes.status import Protected
from rules.model import Mode


class HiddenAreas:
    """The hidden areas of the agent at *home*, and why each is."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._why: dict[str, Finding] = {}

    def __contains__(self, area: object) -> bool:
        return area in self._why

    def add(self, areas: Mapping[str, Finding]) -> None:
        """Keep *areas* hidden from now on."""
        self._why |= areas

    def discard(self, areas: Iterable[str]) -> None:
        """Keep *areas* hidden no longer."""
        for area in areas:
            self._why.pop(area, None)

    def close_all(
        self, rows: Iterable[AreaRow], places: GuardedPlaces, now: MutableMapping[str, Protected]
    ) -> tuple[Protected, ...]:
        """Cover what shows hidden areas, put their states into *now*, and return those that have changed."""
        table, changed = mountinfo.table(), []
        for row in rows:
            if (name := row.resource.id) in self:
                found = self._close(row, places.of(row), table)
                if found != now.get(name):
                    changed.append(found)
                now[name] = found
        return tuple(changed)

    def _close(self, row: AreaRow, place: GuardedPlace, table: Sequence[Mount]) -> Protected:
        closed = mounting.hidden(row.path)
        if row.resource.mode is Mode.ENFORCE:
            with contextlib.suppress(OSError):  # the watcher says why
                closed = guarding.close(place, table, (), self._home)
        why = self._why[row.resource.id]
        return Protected(row.resource.id, row.path, "none", findings=(why,), closed=closed, hidden=True)


def close_doors(plans: Iterable[AreaPlan | None], groups: FanotifyGroups | None) -> None:
    """Cover every way to the volumes of *plans*; if one is not marked any more, its number may be another's by now."""
    marked = guarding.marked(groups.open) if groups else frozenset[int]()
    for plan in plans:
        if plan is not None and plan.st_dev in marked:
            for path in doors(plan, mounting.uncovered(mountinfo.table())):
                with contextlib.suppress(OSError):  # gone meanwhile; what is there is closed by the caller
                    mounting.hide(path)
