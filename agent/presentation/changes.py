"""Registry rows that an act writes, in sentences: the difference an officer confirms, and the history an entry keeps.

Rules of this file: pure. Tables and columns are named by :mod:`agent.presentation.fields`; values are foreign.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.presentation.fields import EMPTY, coded, field_label, quoted, table_label
from rules.text import Message, Sentence


def sentences(rows: Sequence[Mapping[str, Any]], more: int = 0) -> Iterator[Sentence]:
    """Yield one sentence for each row, then the number of rows left out, where there are any."""
    for row in rows:
        yield _sentence(row)
    if more:
        yield Message("presentation.rows-more", count=more)


def _sentence(row: Mapping[str, Any]) -> Sentence:
    name, before, after = str(row["table"]), row["before"], row["after"]
    table = table_label(name)
    if before is None:
        return Message("presentation.row-added", table=table, values=_values(name, after))
    if after is None:
        return Message("presentation.row-removed", table=table, values=_values(name, before))
    same = {column: cell for column, cell in after.items() if before[column] == cell}
    differences = [
        Message(
            "presentation.column-changed",
            column=field_label(column, name),
            before=_cell(column, before[column]),
            after=_cell(column, cell),
        )
        for column, cell in after.items()
        if column not in same
    ]
    return Message("presentation.row-changed", table=table, key=_values(name, same), differences=differences)


def _values(table: str, row: Mapping[str, Any]) -> list[Sentence]:
    return [
        Message("presentation.column-value", column=field_label(column, table), content=_cell(column, cell))
        for column, cell in row.items()
    ]


def _cell(column: str, cell: object) -> Sentence:
    return EMPTY if cell in (None, "") else coded(column, cell) or quoted(cell)
