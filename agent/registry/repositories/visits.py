"""Writing visits.

A visitor is a person (employment ``visitor``) with a visit, not a kind of its own: the same rules, holds, badges and
log apply, and their data remains for a second visit. The visit is temporary: one room, a period, a responsible host and
an accompanying escort. Staff of the site who may not enter alone can also have a visit.

Rules of this file: a visit always has an end. Host and escort are staff of the site and not the visitor.
"""

from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import instant, number, numbered
from agent.registry.repositories.references import require_person, require_room
from agent.registry.repositories.transaction import Transaction
from agent.registry.repositories.window import check_window
from agent.registry.terms import OFFICER, PURPOSE, VISIT
from agent.registry.validation import free_text, unknown
from rules.model import Employment
from rules.text import Message


class VisitRepository:
    """Visits. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(
        self,
        person: str,
        room: str,
        *,
        host: str,
        escort: str,
        purpose: str,
        until: datetime,
        since: datetime | None = None,
        badge: str = "",
        by: str = "",
    ) -> str:
        """Register a visit, by default from now, and return its number (``V000123``)."""
        begins = since or self._transaction.at
        check_window(max(begins, self._transaction.at), begins, until, VISIT)
        require_person(self._transaction, person)
        for staff in (host, escort):
            self._require_staff(staff, person)
        added = self._transaction.insert(
            "visits",
            person=person,
            host=host,
            escort=escort,
            room=require_room(self._transaction, room),
            purpose=free_text(purpose, PURPOSE, required=True),
            since=instant(begins),
            until=instant(until),
            badge=badge,
            registered_by=free_text(by, OFFICER),
        )
        return numbered("V", added)

    def end(self, visit: str, *, by: str = "") -> tuple[str, str]:
        """End a visit now, wherever the visitor is, and return the visitor and their badge."""
        row, person, badge, ended, _ = self._visit(visit)
        if ended is None:
            now = self._transaction.stamp
            self._transaction.update("visits", "number", row, ended_at=now, ended_by=free_text(by, OFFICER))
        return person, badge

    def leave(self, visit: str, *, by: str = "") -> tuple[str, str]:
        """Record that the visitor has left the premises, which ends the visit; return the visitor and their badge."""
        row, person, badge, _, left_at = self._visit(visit)
        if left_at is not None:
            raise RefusedError(
                Message("registry.visitor-already-left", visit=visit, left_at=left_at),
                Message("common.see-shoumi-visitor-list-all"),
            )
        self.end(visit, by=by)
        self._transaction.update("visits", "number", row, left_at=self._transaction.stamp)
        return person, badge

    def end_in(self, key: int) -> None:
        """End every visit to the room of this key, which is being removed."""
        self._transaction.execute(
            "UPDATE visits SET ended_at = ?1 WHERE room = ?2 AND ended_at IS NULL", self._transaction.stamp, key
        )

    def _visit(self, visit: str) -> tuple[int, str, str, str | None, str | None]:
        row = number("V", visit, VISIT)
        fields = self._transaction.row(
            "SELECT number, person, badge, ended_at, left_at FROM visits WHERE number = ?", row
        )
        if fields is None:
            raise unknown(VISIT, visit, "shoumi visitor list")
        return int(fields[0]), str(fields[1]), str(fields[2]), fields[3], fields[4]

    def _require_staff(self, person: str, visitor: str) -> None:
        require_person(self._transaction, person)
        visitor_row = self._transaction.row(
            "SELECT 1 FROM people WHERE id = ? AND employment = ?", person, Employment.VISITOR.value
        )
        if visitor_row or person == visitor:
            raise RefusedError(
                Message("registry.person-is-visitor", person=person),
                Message("registry.host-and-escort-are-staff"),
            )
