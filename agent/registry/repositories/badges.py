"""Writing badges: which card is whose, and what became of it.

Rules of this file: a number is one card, and one person's, with or without the zeros printed before it, which no reader
reports. A card taken back can be given to somebody else; a lost one cannot until it is found, because whoever found it
may still hold it. The row of a lost card stays: showing it at a door is an alarm, not an unknown card.
"""

from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import maybe_instant
from agent.registry.repositories.references import require_person
from agent.registry.repositories.transaction import Transaction
from agent.registry.rows.badges import as_read, badges
from agent.registry.terms import BADGE
from agent.registry.validation import identifier, taken, unknown
from rules.text import Text
from rules.visible import visible

_TAKE_BACK = Text("remove it there first: `shoumi badge remove`", "请先移除：`shoumi badge remove`")


class BadgeRepository:
    """Badges of people. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(
        self,
        number: str,
        person: str,
        *,
        until: datetime | None = None,
        facility: int | None = None,
        bits: int | None = None,
    ) -> None:
        """Say that the card belongs to *person*; a number that is not decimal is the site's own, compared exactly.

        It opens nothing from *until* on. *facility* and *bits*: a read of this number that differs is a copy.
        """
        require_person(self._transaction, person)
        identifier(number, BADGE)
        number = as_read(number)
        if owner := self._transaction.row("SELECT person FROM badges WHERE number = ? AND state <> 'returned'", number):
            raise taken(BADGE, number, owner[0], _TAKE_BACK)
        if until is not None and until <= self._transaction.at:
            now = self._transaction.stamp
            raise RefusedError(
                Text(f"badge `{visible(number)}` would end before it begins", f"门禁卡 `{visible(number)}` 的期限已过"),
                Text(f"give an end after {now}", f"请给出晚于 {now} 的期限"),
            )
        self._transaction.execute(
            "INSERT OR REPLACE INTO badges (number, person, state, until, given_at, facility, bits)"
            " VALUES (?, ?, 'active', ?, ?, ?, ?)",
            number,
            person,
            maybe_instant(until),
            self._transaction.stamp,
            facility,
            bits,
        )

    def of(self, person: str) -> frozenset[str]:
        """Return the numbers of the badges *person* has, lost ones among them."""
        rows = self._transaction.execute("SELECT number FROM badges WHERE person = ? AND state <> 'returned'", person)
        return frozenset(number for (number,) in rows)

    def opens(self, person: str, now: datetime) -> bool:
        """Whether *person* has a badge that stands for them at *now*."""
        return any(one.person == person and one.good(now) for one in self._transaction.read(badges))

    def remove(self, number: str) -> str:
        """Take the card, a lost one too, back from its person, and return the person."""
        return self._becomes(number, "returned")

    def mark_lost(self, number: str) -> str:
        """Say that the card is lost, and return its person."""
        return self._becomes(number, "lost")

    def _becomes(self, number: str, state: str) -> str:
        number = as_read(number)
        owner = self._transaction.row("SELECT person FROM badges WHERE number = ? AND state <> 'returned'", number)
        if owner is None:
            raise unknown(BADGE, number, "shoumi badge list")
        self._transaction.update("badges", "number", number, state=state)
        return str(owner[0])
