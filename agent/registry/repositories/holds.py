"""Writing holds: the suspension of all access of a person.

Rules of this file: a hold always has a reason, and a further hold is never refused; lifting keeps the row.
"""

from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import instant, number, numbered
from agent.registry.repositories.references import require_person
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import HOLD, OFFICER, REASON
from agent.registry.validation import free_text, unknown
from rules.text import Message


class HoldRepository:
    """Holds on people. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(
        self, person: str, *, reason: str, by: str = "", since: datetime | None = None, two_officers: bool = False
    ) -> str:
        """Place a hold on a person, by default from now, and return its number (``H000123``).

        With *two_officers* only two different officers can lift it (:meth:`ask_to_lift`).
        """
        require_person(self._transaction, person)
        added = self._transaction.insert(
            "holds",
            person=person,
            since=instant(since or self._transaction.at),
            reason=free_text(reason, REASON, required=True),
            placed_by=free_text(by, OFFICER),
            two_officers=two_officers,
        )
        return numbered("H", added)

    def lift(self, hold: str, *, by: str = "", reason: str = "") -> str:
        """Lift one hold, and return its person; other holds of the person stay.

        A hold that takes two officers is refused until another officer has asked to lift it.
        """
        row = number("H", hold, HOLD)
        person, _, _ = self._in_force(hold, by)
        if not self.ask_to_lift(hold, by=by):
            raise RefusedError(
                Message("registry.hold-needs-second-officer", hold=hold),
                Message("registry.second-officer-lifts"),
            )
        self._transaction.update(
            "holds",
            "number",
            row,
            lifted_at=self._transaction.stamp,
            lifted_by=free_text(by, OFFICER),
            lift_reason=free_text(reason, REASON),
        )
        return person

    def ask_to_lift(self, hold: str, *, by: str) -> bool:
        """Return whether *by* may lift this hold now; where it takes two officers, record the request of the first.

        Refused when the first officer asks again.
        """
        _, takes_two, asked_by = self._in_force(hold, by)
        if not takes_two:
            return True
        if not asked_by:
            self._transaction.update(
                "holds",
                "number",
                number("H", hold, HOLD),
                lift_asked_by=free_text(by, OFFICER, required=True),
                lift_asked_at=self._transaction.stamp,
            )
            return False
        if asked_by == by:
            raise RefusedError(
                Message("common.second-officer-needed", officer=by),
                Message("registry.second-officer-lifts"),
            )
        return True

    def _in_force(self, hold: str, by: str) -> tuple[str, bool, str]:
        """Return the person of a hold that *by* may lift, whether it takes two officers, and the first of them."""
        fields = self._transaction.row(
            "SELECT person, lifted_at, two_officers, lift_asked_by FROM holds WHERE number = ?",
            number("H", hold, HOLD),
        )
        if fields is None:
            raise unknown(HOLD, hold, "shoumi hold list")
        person, lifted_at, takes_two, asked_by = fields
        if lifted_at is not None:
            raise RefusedError(
                Message("registry.hold-already-lifted", hold=hold, lifted_at=lifted_at),
                Message("registry.see-shoumi-person-show"),
            )
        if by and by == person:
            raise RefusedError(
                Message("registry.own-hold-lift"),
                Message("registry.another-officer-lifts"),
            )
        return str(person), bool(takes_two), str(asked_by)
