"""Where each enforced area stands and by which paths it is reached: the list that holder and watcher cover by.

Rules of this file: what cannot be seen now stays as it was seen last. The list is a file (:mod:`agent.kernel.cover`).
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
        """Return the place of *area*, which lies at *path*, as it was seen last."""
        return self._known().get(area, GuardedPlace(area, path, "", False, (path,)))

    def of(self, row: AreaRow) -> GuardedPlace:
        """Return where the area of *row* stands, as it was seen last."""
        fresh = GuardedPlace(row.resource.id, row.path, "", row.volume.get("alone") is True, (row.path,))
        return self._known().get(row.resource.id, fresh)._replace(path=row.path)

    def write(self, rows: Iterable[AreaRow], plans: Mapping[str, AreaPlan], released: Container[str]) -> bool:
        """List every way into the areas of *rows* that are enforced; return whether that is news.

        The volumes of *released* are not to be held.
        """
        table = mounting.uncovered(mountinfo.table())
        places = []
        for row in rows:
            if (name := row.resource.id) and row.resource.mode is Mode.ENFORCE:
                plan, place = plans.get(name), self.of(row)
                if plan is not None and (shown := doors(plan, table)):  # else what was known of it stays known
                    top = mountinfo.resolve(plan.path, table)
                    point = top.point if top is not None and top.device == plan.device else place.point
                    place = GuardedPlace(name, row.path, point, plan.dedicated, shown, plan.device)
                places.append(place._replace(hold=name not in released))
        # The next list may get the inode number, size and time of this one, and would then not be read.
        self._state = ()
        return cover.write_list(self._file, places)

    def _known(self) -> dict[str, GuardedPlace]:
        try:
            found = self._file.stat()
        except OSError:
            return {}
        state = (found.st_ino, found.st_size, found.st_mtime_ns)
        if state != self._state:  # a list is never written over: another one takes its name
            self._state, self._listed = state, {place.area: place for place in cover.read_list(self._file)}
        return self._listed
