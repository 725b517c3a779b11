"""What an act writes, row by row, in sentences: the difference somebody confirms, and the history an entry keeps.

Rules of this file: pure. Tables and columns are said by their names, which are the field's terms; values are foreign.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rules.text import Text
from rules.visible import visible


def sentences(rows: Sequence[Mapping[str, Any]], more: int = 0) -> Iterator[Text]:
    """Yield one sentence a row, and how many more there are."""
    for row in rows:
        yield _sentence(row)
    if more:
        yield Text(f"and {more} more rows", f"另有 {more} 行")


def _sentence(row: Mapping[str, Any]) -> Text:
    table, before, after = f"`{visible(row['table'])}`", row["before"], row["after"]
    if before is None:
        return Text(f"{table}: new: {_values(after)}", f"{table}：新增：{_values(after)}")
    if after is None:
        return Text(f"{table}: gone: {_values(before)}", f"{table}：删除：{_values(before)}")
    same = {name: value for name, value in after.items() if before[name] == value}
    differ = ", ".join(
        f"`{visible(name)}` {_value(before[name])} → {_value(value)}"
        for name, value in after.items()
        if name not in same
    )
    return Text(f"{table} {_values(same)}: {differ}", f"{table} {_values(same)}：{differ}")


def _values(row: Mapping[str, Any]) -> str:
    return ", ".join(f"`{visible(name)}` {_value(value)}" for name, value in row.items())


def _value(value: object) -> str:
    return "–" if value in (None, "") else f"`{visible(str(value))}`"
