"""Writing holidays: the days of the site's calendar that are not working days.

Rules of this file: a holiday is a whole day.
"""

from datetime import date

from agent.errors import RefusedError
from agent.registry.repositories.transaction import Transaction
from agent.registry.validation import free_text
from rules.text import Message


class HolidayRepository:
    """Holidays. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, day: date, *, name: str = "") -> None:
        """Register a day of the site's calendar as a holiday; registering it again changes its name."""
        self._transaction.execute(
            "INSERT INTO holidays VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET name = excluded.name",
            _day(day),
            free_text(name, Message("common.object-name")),
        )

    def remove(self, day: date) -> None:
        """Delete the holiday."""
        if self._transaction.execute("DELETE FROM holidays WHERE day = ?", _day(day)).rowcount == 0:
            raise RefusedError(
                Message("registry.holiday-not-found", day=_day(day)),
                Message("common.check-date"),
            )


def _day(day: date) -> str:
    """Return the date as text; a ``datetime`` is also a ``date`` in Python, and would be stored with its time."""
    return date(day.year, day.month, day.day).isoformat()
