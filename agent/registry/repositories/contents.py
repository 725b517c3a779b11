"""Writing what is kept in which room: an area's files lie on a machine there, and so do the papers that belong to it.

Rules of this file: a room is at least as high as what is kept in it, and of the same domain, because its door asks
about the room alone. Whatever changes a level, a domain or the place asks :meth:`ContentRepository.check` before it is
done.
"""

from agent.errors import RefusedError
from agent.registry.repositories.references import require_area, require_room
from agent.registry.repositories.transaction import Transaction
from agent.registry.rows.resources import resource
from rules.containment import misfits
from rules.model import Resource
from rules.text import Text
from rules.visible import visible

_HINT = Text("change the room first, or keep it elsewhere", "请先调整该场所，或改存他处")


class ContentRepository:
    """Areas kept in rooms. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, area: str, room: str) -> None:
        """Say that *area* is kept in *room*, and nowhere else."""
        place, key = require_room(self._transaction, room), require_area(self._transaction, area)
        self._transaction.execute("INSERT OR REPLACE INTO kept_areas (area, room) VALUES (?, ?)", key, place)
        self.check(key)

    def remove(self, area: str, room: str) -> None:
        """Say that *area* is not kept in *room* any more; refused when it was not."""
        place, key = require_room(self._transaction, room), require_area(self._transaction, area)
        if not self._transaction.execute("DELETE FROM kept_areas WHERE area = ? AND room = ?", key, place).rowcount:
            raise RefusedError(
                Text(
                    f"`{visible(area)}` is not kept in `{visible(room)}`",
                    f"`{visible(area)}` 不在 `{visible(room)}` 存放",
                ),
                Text("see `shoumi room show`", "参见 `shoumi room show`"),
            )

    def forget(self, key: int) -> None:
        """Say that the area of this key is kept nowhere, or nothing in the room of this key."""
        self._transaction.execute("DELETE FROM kept_areas WHERE area = ?1 OR room = ?1", key)

    def check(self, key: int) -> None:
        """Refuse, and so undo, what put this area or room at odds with the other (:mod:`rules.containment`)."""
        places = self._transaction.execute(
            "SELECT DISTINCT room FROM kept_areas WHERE ?1 IN (area, room)", key
        ).fetchall()
        for (place,) in places:
            areas = self._transaction.execute(
                "SELECT area FROM kept_areas WHERE room = ? ORDER BY area", place
            ).fetchall()
            for found in misfits(self._resource(place), [self._resource(area) for (area,) in areas]):
                raise RefusedError(found.because, _HINT)

    def _resource(self, key: int) -> Resource:
        found = self._transaction.row("SELECT name FROM resources WHERE key = ?", key)
        known = self._transaction.read(resource, str(found[0])) if found else None
        assert known
        return known[1]
