"""What is kept in which room: an area's files lie on a machine there, and so do the papers that belong to it.

Rules of this file: a room is at least as high as what is kept in it, and of the same domain, because its door asks
about the room alone. Whatever changes a level, a domain or the place asks :meth:`KeptWrites._fits` before it is done.
"""

from agent.errors import RefusedError
from agent.registry.rows.resources import resource
from agent.registry.transaction import Transaction
from rules.containment import misfits
from rules.model import Resource
from rules.text import Text
from rules.visible import visible

_HINT = Text("change the room first, or keep it elsewhere", "请先调整该场所，或改存他处")


class KeptWrites(Transaction):
    """Writes about where areas are kept. All raise :class:`agent.errors.RefusedError`."""

    def keep(self, area: str, room: str) -> None:
        """Say that *area* is kept in *room*, and nowhere else."""
        place, what = self._need_resource(room, "room"), self._need_resource(area, "area")
        self._run("INSERT OR REPLACE INTO kept_areas VALUES (?, ?)", what, place)
        self._fits(what)

    def keep_no_longer(self, area: str, room: str) -> None:
        """Say that *area* is not kept in *room* any more; refused when it was not."""
        place, what = self._need_resource(room, "room"), self._need_resource(area, "area")
        if not self._run("DELETE FROM kept_areas WHERE area = ? AND room = ?", what, place).rowcount:
            raise RefusedError(
                Text(
                    f"`{visible(area)}` is not kept in `{visible(room)}`",
                    f"`{visible(area)}` 不在 `{visible(room)}` 存放",
                ),
                Text("see `shoumi room show`", "参见 `shoumi room show`"),
            )

    def _fits(self, key: int) -> None:
        """Refuse, and so undo, what put this area or room at odds with the other (:mod:`rules.containment`)."""
        places = self._run("SELECT DISTINCT room FROM kept_areas WHERE ?1 IN (area, room)", key).fetchall()
        for (place,) in places:
            areas = self._run("SELECT area FROM kept_areas WHERE room = ? ORDER BY area", place).fetchall()
            for found in misfits(self._resource(place), [self._resource(area) for (area,) in areas]):
                raise RefusedError(found.because, _HINT)

    def _resource(self, key: int) -> Resource:
        found = self._row("SELECT name FROM resources WHERE key = ?", key)
        known = resource(self._connection, str(found[0])) if found else None
        assert known
        return known[1]
