"""Writing badges: the person to whom a card belongs, and its state.

Rules of this file: a number is one card of one person, with or without the printed leading zeros, which no reader
reports. A returned card can be given to another person; a lost card cannot until it is found, because the finder may
still hold it. The row of a lost card stays: presenting it at a door is an alarm, not an unknown card.
"""

from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import maybe_instant
from agent.registry.repositories.references import require_person
from agent.registry.repositories.transaction import Transaction
from agent.registry.rows.badges import as_read, badges
from agent.registry.terms import BADGE
from agent.registry.validation import identifier, taken, unknown
from rules.text import Message

_TAKE_BACK = Message("registry.take-back-badge-first")


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
        """Assign the card to *person*; a number that is not decimal is compared exactly.

        It opens nothing from *until* on. *facility* and *bits*: a read of this number that differs is of a copied card.
        """
        require_person(self._transaction, person)
        identifier(number, BADGE)
        number = as_read(number)
        if owner := self._transaction.row("SELECT person FROM badges WHERE number = ? AND state <> 'returned'", number):
            raise taken(BADGE, number, owner[0], _TAKE_BACK)
        if until is not None and until <= self._transaction.at:
            now = self._transaction.stamp
            raise RefusedError(
                Message("registry.badge-end-before-start", number=number),
                Message("registry.choose-later-end", earliest=now),
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
        """Return the numbers of the badges of *person*, lost ones included."""
        rows = self._transaction.execute("SELECT number FROM badges WHERE person = ? AND state <> 'returned'", person)
        return frozenset(number for (number,) in rows)

    def opens(self, person: str, now: datetime) -> bool:
        """Return whether *person* has a valid badge at *now*."""
        return any(badge.person == person and badge.good(now) for badge in self._transaction.read(badges))

    def remove(self, number: str) -> str:
        """Mark the card as returned, lost or not, and return its person."""
        return self._becomes(number, "returned")

    def mark_lost(self, number: str) -> str:
        """Mark the card as lost, and return its person."""
        return self._becomes(number, "lost")

    def _becomes(self, number: str, state: str) -> str:
        number = as_read(number)
        owner = self._transaction.row("SELECT person FROM badges WHERE number = ? AND state <> 'returned'", number)
        if owner is None:
            raise unknown(BADGE, number, "shoumi badge list")
        self._transaction.update("badges", "number", number, state=state)
        return str(owner[0])
