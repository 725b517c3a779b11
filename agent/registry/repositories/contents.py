"""Writing the areas kept in rooms: the files of an area are on a machine there, and so are its papers.

Rules of this file: a room has at least the level of the areas kept in it, and the same domain, because its door checks
the room alone. Every change of a level, a domain or a place calls :meth:`ContentRepository.check`.
"""

from agent.errors import RefusedError
from agent.registry.repositories.references import require_area, require_room
from agent.registry.repositories.transaction import Transaction
from agent.registry.rows.resources import resource
from rules.containment import misfits
from rules.model import Resource
from rules.text import Message

_HINT = Message("registry.change-room-or-move-area")


class ContentRepository:
    """Areas kept in rooms. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, area: str, room: str) -> None:
        """Record that *area* is kept in *room*, and nowhere else."""
        place, key = require_room(self._transaction, room), require_area(self._transaction, area)
        self._transaction.execute("INSERT OR REPLACE INTO kept_areas (area, room) VALUES (?, ?)", key, place)
        self.check(key)

    def remove(self, area: str, room: str) -> None:
        """Record that *area* is no longer kept in *room*; refused when it was not."""
        place, key = require_room(self._transaction, room), require_area(self._transaction, area)
        if not self._transaction.execute("DELETE FROM kept_areas WHERE area = ? AND room = ?", key, place).rowcount:
            raise RefusedError(
                Message("registry.area-not-kept-in-room", area=area, room=room),
                Message("registry.see-shoumi-room-show"),
            )

    def forget(self, key: int) -> None:
        """Delete the records of the area or room of this key."""
        self._transaction.execute("DELETE FROM kept_areas WHERE area = ?1 OR room = ?1", key)

    def check(self, key: int) -> None:
        """Refuse, and so undo, a change after which area and room violate :mod:`rules.containment`."""
        places = self._transaction.execute(
            "SELECT DISTINCT room FROM kept_areas WHERE ?1 IN (area, room)", key
        ).fetchall()
        for (place,) in places:
            areas = self._transaction.execute(
                "SELECT area FROM kept_areas WHERE room = ? ORDER BY area", place
            ).fetchall()
            for violation in misfits(self._resource(place), [self._resource(area) for (area,) in areas]):
                raise RefusedError(violation.because, _HINT)

    def _resource(self, key: int) -> Resource:
        name_row = self._transaction.row("SELECT name FROM resources WHERE key = ?", key)
        keyed_resource = self._transaction.read(resource, str(name_row[0])) if name_row else None
        assert keyed_resource
        return keyed_resource[1]
