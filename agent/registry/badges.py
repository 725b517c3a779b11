"""Writing badges: which card is whose, and what became of it.

Rules of this file: a number is one card, and one person's, with or without the zeros printed before it, which no reader
reports. A card taken back can be given to somebody else; a lost one cannot until it is found, because whoever found it
may still hold it. The row of a lost card stays: showing it at a door is an alarm, not an unknown card.
"""

from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import instant, maybe_instant
from agent.registry.transaction import Transaction, identifier, taken, unknown
from rules.text import Text
from rules.visible import visible

BADGE = Text("badge", "门禁卡")
_TAKE_BACK = Text("remove it there first: `shoumi badge remove`", "请先移除：`shoumi badge remove`")


class BadgeWrites(Transaction):
    """Writes about badges. All raise :class:`agent.errors.RefusedError`."""

    def add_badge(
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
        self._need_person(person)
        identifier(number, BADGE)
        number = as_read(number)
        if owner := self._row("SELECT person FROM badges WHERE number = ? AND state <> 'returned'", number):
            raise taken(BADGE, number, owner[0], _TAKE_BACK)
        if until is not None and until <= self.at:
            raise RefusedError(
                Text(f"badge `{visible(number)}` would end before it begins", f"门禁卡 `{visible(number)}` 的期限已过"),
                Text(f"give an end after {instant(self.at)}", f"请给出晚于 {instant(self.at)} 的期限"),
            )
        self._run(
            "INSERT OR REPLACE INTO badges (number, person, state, until, given_at, facility, bits)"
            " VALUES (?, ?, 'active', ?, ?, ?, ?)",
            number,
            person,
            maybe_instant(until),
            self._at,
            facility,
            bits,
        )

    def remove_badge(self, number: str) -> str:
        """Take the card, a lost one too, back from its person, and return the person."""
        return self._becomes(number, "returned")

    def lose_badge(self, number: str) -> str:
        """Say that the card is lost, and return its person."""
        return self._becomes(number, "lost")

    def _becomes(self, number: str, state: str) -> str:
        number = as_read(number)
        owner = self._row("SELECT person FROM badges WHERE number = ? AND state <> 'returned'", number)
        if owner is None:
            raise unknown(BADGE, number, "shoumi badge list")
        self._run("UPDATE badges SET state = ? WHERE number = ?", state, number)
        return str(owner[0])


def as_read(number: str) -> str:
    """Return the number of a card as a reader reports it: of ``0004660``, which is what is printed, ``4660``."""
    decimal = number.isascii() and number.isdecimal()
    return (number.lstrip("0") or "0") if decimal else number
