"""Hidden areas: an officer had their volume released, and they stay closed, whatever is mounted in its place.

Rules of this file: it covers and never uncovers. A mount there is covered even if it carries a mark, because it is not
proven. Belongs to :class:`agent.volumes.protection.Protection`, in which one thread works at a time.
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
    """The hidden areas of the agent at *home*, and the reason of each."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._reasons: dict[str, Finding] = {}

    def __contains__(self, area: object) -> bool:
        return area in self._reasons

    def add(self, areas: Mapping[str, Finding]) -> None:
        """Hide *areas* from now on."""
        self._reasons |= areas

    def discard(self, areas: Iterable[str]) -> None:
        """Stop hiding *areas*."""
        for area in areas:
            self._reasons.pop(area, None)

    def close_all(
        self, rows: Iterable[AreaRow], places: GuardedPlaces, now: MutableMapping[str, Protected]
    ) -> tuple[Protected, ...]:
        """Cover every exposure of hidden areas, store their states in *now*, and return the changed ones."""
        table, changed = mountinfo.table(), []
        for row in rows:
            if (name := row.resource.id) in self:
                state = self._close(row, places.of(row), table)
                if state != now.get(name):
                    changed.append(state)
                now[name] = state
        return tuple(changed)

    def _close(self, row: AreaRow, place: GuardedPlace, table: Sequence[Mount]) -> Protected:
        closed = mounting.hidden(row.path)
        if row.resource.mode is Mode.ENFORCE:
            with contextlib.suppress(OSError):  # the watcher reports the reason
                closed = guarding.close(place, table, (), self._home)
        reason = self._reasons[row.resource.id]
        return Protected(row.resource.id, row.path, "none", findings=(reason,), closed=closed, hidden=True)


def close_doors(plans: Iterable[AreaPlan | None], groups: FanotifyGroups | None) -> None:
    """Cover every path to the marked volumes of *plans*; the number of an unmarked one may be reused by now."""
    marked = guarding.marked(groups.open) if groups else frozenset[int]()
    for plan in plans:
        if plan is not None and plan.st_dev in marked:
            for path in doors(plan, mounting.uncovered(mountinfo.table())):
                with contextlib.suppress(OSError):  # unmounted in the meantime; the caller closes what is there
                    mounting.hide(path)
