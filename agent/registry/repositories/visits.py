"""Writing visits.

A visitor is a person (employment ``visitor``) with a visit, not a kind of its own: the same rules, holds, badges and
log serve them, and a second visit finds what the first one left. What passes is the visit: one room, a window, a host
who answers for it and an escort who goes along. Somebody of the site who may not enter alone can be on one too.

Rules of this file: a visit always ends by itself. Host and escort are people of the site, and others than the visitor.
"""

from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import instant, number, numbered
from agent.registry.repositories.references import require_person, require_room
from agent.registry.repositories.transaction import Transaction
from agent.registry.repositories.window import check_window
from agent.registry.terms import OFFICER, PURPOSE, VISIT
from agent.registry.validation import unknown, words
from rules.model import Employment
from rules.text import Text
from rules.visible import visible


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
        for other in (host, escort):
            self._require_staff(other, person)
        added = self._transaction.insert(
            "visits",
            person=person,
            host=host,
            escort=escort,
            room=require_room(self._transaction, room),
            purpose=words(purpose, PURPOSE, required=True),
            since=instant(begins),
            until=instant(until),
            badge=badge,
            registered_by=words(by, OFFICER),
        )
        return numbered("V", added)

    def end(self, visit: str, *, by: str = "") -> tuple[str, str]:
        """End a visit now, wherever the visitor is, and return the visitor and the badge they were given."""
        row, person, badge, ended, _ = self._visit(visit)
        if ended is None:
            now = self._transaction.stamp
            self._transaction.update("visits", "number", row, ended_at=now, ended_by=words(by, OFFICER))
        return person, badge

    def leave(self, visit: str, *, by: str = "") -> tuple[str, str]:
        """Say that the visitor has left the premises: the visit is over. Returns the visitor and their badge."""
        row, person, badge, _, left = self._visit(visit)
        if left is not None:
            raise RefusedError(
                Text(
                    f"the visitor of `{visible(visit)}` left at {left}", f"`{visible(visit)}` 的来访者已于 {left} 离开"
                ),
                Text("see `shoumi visitor list --all`", "参见 `shoumi visitor list --all`"),
            )
        self.end(visit, by=by)
        self._transaction.update("visits", "number", row, left_at=self._transaction.stamp)
        return person, badge

    def end_in(self, key: int) -> None:
        """End every visit to the room of this key, which is removed."""
        self._transaction.execute(
            "UPDATE visits SET ended_at = ?1 WHERE room = ?2 AND ended_at IS NULL", self._transaction.stamp, key
        )

    def _visit(self, visit: str) -> tuple[int, str, str, str | None, str | None]:
        row = number("V", visit, VISIT)
        found = self._transaction.row(
            "SELECT number, person, badge, ended_at, left_at FROM visits WHERE number = ?", row
        )
        if found is None:
            raise unknown(VISIT, visit, "shoumi visitor list")
        return int(found[0]), str(found[1]), str(found[2]), found[3], found[4]

    def _require_staff(self, person: str, visitor: str) -> None:
        require_person(self._transaction, person)
        found = self._transaction.row(
            "SELECT 1 FROM people WHERE id = ? AND employment = ?", person, Employment.VISITOR.value
        )
        if found or person == visitor:
            raise RefusedError(
                Text(f"`{visible(person)}` is a visitor himself", f"`{visible(person)}` 本人即为来访人员"),
                Text("host and escort are other people, of the site", "接待人和陪同人须为他人，且为本单位人员"),
            )
