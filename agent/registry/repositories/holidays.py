"""Writing holidays: the days of the site's calendar on which hours do not hold.

Rules of this file: a holiday is a day, whatever the time.
"""

from datetime import date

from agent.errors import RefusedError
from agent.registry.repositories.transaction import Transaction
from agent.registry.validation import words
from rules.text import Text


class HolidayRepository:
    """Holidays. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, day: date, *, name: str = "") -> None:
        """Mark a day (of the site's calendar) as a holiday; marking it again changes its name."""
        self._transaction.execute(
            "INSERT INTO holidays VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET name = excluded.name",
            _day(day),
            words(name, Text("name", "名称")),
        )

    def remove(self, day: date) -> None:
        """Make the day an ordinary one."""
        if self._transaction.execute("DELETE FROM holidays WHERE day = ?", _day(day)).rowcount == 0:
            raise RefusedError(
                Text(f"{_day(day)} is not registered as a holiday", f"{_day(day)} 未登记为节假日"),
                Text("check the date", "请核对日期"),
            )


def _day(day: date) -> str:
    """Return the date; a ``datetime`` is a date to Python, and would be stored with its time."""
    return date(day.year, day.month, day.day).isoformat()
