"""Writing holds: what takes everything from a person at once.

Rules of this file: a hold always says why and is never refused for being the second one; lifting keeps the row.
"""

from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import instant, number, numbered
from agent.registry.repositories.references import require_person
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import HOLD, OFFICER, REASON
from agent.registry.validation import unknown, words
from rules.text import Text
from rules.visible import visible


class HoldRepository:
    """Holds on people. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(
        self, person: str, *, reason: str, by: str = "", since: datetime | None = None, two_officers: bool = False
    ) -> str:
        """Stop a person, by default from now, and return the number (``H000123``).

        With *two_officers* it is lifted only by two different ones (:meth:`ask_to_lift`).
        """
        require_person(self._transaction, person)
        added = self._transaction.insert(
            "holds",
            person=person,
            since=instant(since or self._transaction.at),
            reason=words(reason, REASON, required=True),
            placed_by=words(by, OFFICER),
            two_officers=two_officers,
        )
        return numbered("H", added)

    def lift(self, hold: str, *, by: str = "", reason: str = "") -> str:
        """Take one hold away, and return its person; other holds of the person stay.

        One that takes two officers is refused before another one has asked for it.
        """
        row = number("H", hold, HOLD)
        person, _, _ = self._in_force(hold, by)
        if not self.ask_to_lift(hold, by=by):
            raise RefusedError(
                Text(
                    f"hold `{visible(hold)}` is lifted by two officers, and this is the first",
                    f"停权 `{visible(hold)}` 须由两名管理员解除，目前仅一名",
                ),
                Text("let another officer lift it as well", "请由另一名管理员再次解除"),
            )
        self._transaction.update(
            "holds",
            "number",
            row,
            lifted_at=self._transaction.stamp,
            lifted_by=words(by, OFFICER),
            lift_reason=words(reason, REASON),
        )
        return person

    def ask_to_lift(self, hold: str, *, by: str) -> bool:
        """Return whether *by* may lift this hold now; note the wish of the first of two where it takes two.

        Refused for the first of the two asking again.
        """
        _, takes_two, asked_by = self._in_force(hold, by)
        if not takes_two:
            return True
        if not asked_by:
            self._transaction.update(
                "holds",
                "number",
                number("H", hold, HOLD),
                lift_asked_by=words(by, OFFICER, required=True),
                lift_asked_at=self._transaction.stamp,
            )
            return False
        if asked_by == by:
            raise RefusedError(
                Text(
                    f"this takes a second officer, and `{visible(by)}` is the first",
                    f"须由第二名管理员确认，`{visible(by)}` 是第一名",
                ),
                Text("let another officer lift it as well", "请由另一名管理员再次解除"),
            )
        return True

    def _in_force(self, hold: str, by: str) -> tuple[str, bool, str]:
        """Return the person of a hold that *by* may lift at all, whether it takes two, and who asked first."""
        found = self._transaction.row(
            "SELECT person, lifted_at, two_officers, lift_asked_by FROM holds WHERE number = ?",
            number("H", hold, HOLD),
        )
        if found is None:
            raise unknown(HOLD, hold, "shoumi hold list")
        person, lifted_at, takes_two, asked_by = found
        if lifted_at is not None:
            raise RefusedError(
                Text(
                    f"hold `{visible(hold)}` was lifted at {lifted_at}", f"停权 `{visible(hold)}` 已于 {lifted_at} 解除"
                ),
                Text("see `shoumi person show`", "参见 `shoumi person show`"),
            )
        if by and by == person:
            raise RefusedError(
                Text("nobody lifts his own hold", "任何人不得解除本人的停权"),
                Text("let another officer lift it", "请由其他人员解除"),
            )
        return str(person), bool(takes_two), str(asked_by)
