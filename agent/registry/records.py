"""Writing records, holidays and settings: dated facts that rules weigh.

Rules of this file: which kinds of record exist and how long they last is the pack's; here a kind is a word. A wrong
record is voided with a reason, not edited, so that the file of a person never silently changes.
"""

from datetime import date, datetime

from agent.errors import RefusedError
from agent.registry.columns import instant, maybe_instant, number, numbered
from agent.registry.transaction import Transaction, identifier, unknown, words
from rules.text import Text
from rules.visible import visible

_RECORD = Text("record", "档案")
_KIND = Text("kind of record", "档案种类")


class RecordWrites(Transaction):
    """Writes about records, holidays and settings. All raise :class:`agent.errors.RefusedError`."""

    def add_record(
        self,
        person: str,
        kind: str,
        *,
        on: datetime,
        passed: bool = True,
        valid_until: datetime | None = None,
        topic: str = "",
        note: str = "",
    ) -> str:
        """File a record, and return its number (``R000123``). *valid_until* is the end printed on the record."""
        self._need_person(person)
        identifier(kind, _KIND)
        if valid_until is not None and valid_until <= on:
            raise RefusedError(
                Text("the record would end before it begins", "档案的失效时间早于其日期"),
                Text("check the two dates", "请核对两个日期"),
            )
        added = self._add(
            "INSERT INTO records (person, kind, dated, passed, valid_until, topic, note, added_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            person,
            kind,
            instant(on),
            int(passed),
            maybe_instant(valid_until),
            words(topic, Text("topic", "主题")),
            words(note, Text("note", "备注")),
            self._at,
        )
        return numbered("R", added)

    def void_record(self, record: str, *, reason: str) -> str:
        """Take a wrong record out of force, and return its person."""
        row = number("R", record, _RECORD)
        found = self._row("SELECT person, voided_at FROM records WHERE number = ?", row)
        if found is None:
            raise unknown(_RECORD, record, "shoumi record list")
        if found[1] is not None:
            raise RefusedError(
                Text(f"record `{visible(record)}` is void already", f"档案 `{visible(record)}` 已作废"),
                Text("see `shoumi record list`", "参见 `shoumi record list`"),
            )
        why = words(reason, Text("reason", "事由"), required=True)
        self._run("UPDATE records SET voided_at = ?, void_reason = ? WHERE number = ?", self._at, why, row)
        return str(found[0])

    def add_holiday(self, day: date, *, name: str = "") -> None:
        """Mark a day (of the site's calendar) as a holiday; marking it again changes its name."""
        self._run(
            "INSERT INTO holidays VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET name = excluded.name",
            _day(day),
            words(name, Text("name", "名称")),
        )

    def remove_holiday(self, day: date) -> None:
        """Make the day an ordinary one."""
        if self._run("DELETE FROM holidays WHERE day = ?", _day(day)).rowcount == 0:
            raise RefusedError(
                Text(f"{_day(day)} is not registered as a holiday", f"{_day(day)} 未登记为节假日"),
                Text("check the date", "请核对日期"),
            )

    def set_setting(self, name: str, value: str | None) -> None:
        """Keep *value* under *name*; ``None`` forgets it."""
        if value is None:
            self._run("DELETE FROM settings WHERE name = ?", name)
            return
        self._run(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            identifier(name, Text("setting", "设置")),
            words(value, Text("value", "值")),
        )


def _day(day: date) -> str:
    """Return the date; a ``datetime`` is a date to Python, and would be stored with its time."""
    return date(day.year, day.month, day.day).isoformat()
