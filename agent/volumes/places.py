"""Places of enforced areas and the paths to them: the list by which holder and watcher cover areas.

Rules of this file: a place that cannot be seen now keeps its last state. The list is a file
(:mod:`agent.kernel.cover`).
"""

from collections.abc import Container, Iterable, Mapping
from pathlib import Path

from agent.kernel import cover, mountinfo, mounting
from agent.kernel.cover import GuardedPlace
from agent.registry.rows.areas import AreaRow
from agent.volumes.planning import AreaPlan, doors
from rules.model import Mode


class GuardedPlaces:
    """The places listed in *file*."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._state: tuple[int, ...] = ()
        self._listed: dict[str, GuardedPlace] = {}

    def named(self, area: str, path: str) -> GuardedPlace:
        """Return the last known place of *area*, which is at *path*."""
        return self._seen_places().get(area, GuardedPlace(area, path, "", False, (path,)))

    def of(self, row: AreaRow) -> GuardedPlace:
        """Return the last known place of the area of *row*."""
        fresh = GuardedPlace(row.resource.id, row.path, "", row.volume.get("alone") is True, (row.path,))
        return self._seen_places().get(row.resource.id, fresh)._replace(path=row.path)

    def write(self, rows: Iterable[AreaRow], plans: Mapping[str, AreaPlan], released: Container[str]) -> bool:
        """Write the list of every path to the enforced areas of *rows*; return whether it changed.

        The volumes of *released* are not held.
        """
        table = mounting.uncovered(mountinfo.table())
        places = []
        for row in rows:
            if (name := row.resource.id) and row.resource.mode is Mode.ENFORCE:
                plan, place = plans.get(name), self.of(row)
                if plan is not None and (door_paths := doors(plan, table)):  # else its last known place stays
                    top = mountinfo.resolve(plan.path, table)
                    point = top.point if top is not None and top.device == plan.device else place.point
                    place = GuardedPlace(name, row.path, point, plan.dedicated, door_paths, plan.device)
                places.append(place._replace(hold=name not in released))
        # The next list may have the inode number, size and time of this one, and would then not be read.
        self._state = ()
        return cover.write_list(self._file, places)

    def _seen_places(self) -> dict[str, GuardedPlace]:
        try:
            status = self._file.stat()
        except OSError:
            return {}
        state = (status.st_ino, status.st_size, status.st_mtime_ns)
        if state != self._state:  # a list is never overwritten: a new file takes its name
            self._state, self._listed = state, {place.area: place for place in cover.read_list(self._file)}
        return self._listed
