"""Query plan for one month: the leading index, and the conditions checked on its rows.

Rules of this file:

* Sequence numbers are found first, over narrow rows, each index giving them newest first without sorting; records are
  fetched for the page alone.
* The index is chosen by counting, not by statistics. The filter that leaves fewest rows leads, if it leaves less than
  an eighth of them; otherwise rows are read backwards until the page is full.
* Text is searched with LIKE in the distinct paths. That finds every substring, Chinese words of two characters
  included, which SQLite's full-text tokenizers silently miss. ASCII letters match in both cases.
* Text in a statement is written by this file; values from people are bound as parameters.
"""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from agent.log.month import ACCESS, ALLOW, DENY, PARTIAL
from rules.visible import visible

_UNINDEXED = {("kind", ACCESS), ("rule", ALLOW)}
_FEW = 2_000  # fewer rows are checked faster one by one than all paths are searched for a text
_LISTED = 500  # at most so many paths are listed in the statement; more become a subquery
_LIKE = r"path LIKE :text ESCAPE '\'"


class _Lead(NamedTuple):
    """Disjoint sources, each an index and its condition, that together give every row a filter leaves."""

    sources: tuple[str, ...]
    rows: int


class QueryPlan:
    """The filters of one query on the month open in *db*, for sequence numbers *low* < seq < *high*.

    A method that adds a filter returns False when nothing in this month can match it.
    """

    def __init__(self, db: sqlite3.Connection, low: int, high: int) -> None:
        self._db = db
        self._range = f"seq > {low:d} AND seq < {high:d}"
        self._most = max((high - low) // 8, _FEW) + 1
        self._terms = [self._range]
        self._leads = [_Lead(("NOT INDEXED WHERE true",), self._most)]
        self._text: dict[str, str] = {}

    def times(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Keep rows whose time is in one of *ranges*, from (included) until (excluded)."""
        self._terms.append(f"({' OR '.join(f'at >= {since:d} AND at < {until:d}' for since, until in ranges)})")

    def term(self, column: str, term: str) -> bool:
        """Keep rows whose *column* (kind, verdict, rule) is *term*."""
        number = number_of(self._db, term)
        if number is None:
            return False
        self._terms.append(f"{column} = {number}")
        indexed = number == DENY if column == "verdict" else (column, number) not in _UNINDEXED
        return not indexed or self._lead(_source(column, str(number)))

    def area(self, area: str) -> bool:
        """Keep rows about *area*, an area or a room, also where they are about others as well."""
        number = number_of(self._db, area)
        if number is None:
            return False
        further = f"seq IN (SELECT seq FROM further_areas WHERE area = {number})"  # noqa: S608
        self._terms.append(f"(area = {number} OR {further})")
        return self._lead(_source("area", str(number)), f"NOT INDEXED WHERE {further}")

    def person(self, person: str) -> bool:
        """Keep rows with *person* as either of the two persons behind the access."""
        number = number_of(self._db, person)
        if number is None:
            return False
        self._terms.append(f"(person = {number} OR login_person = {number})")
        return self._lead(_source("person", str(number)), _source("login_person", str(number)))

    def own(self, only: bool) -> bool:  # noqa: FBT001 - the filter is one word
        """Keep rows of the agent's own attempts *only*, or all others only."""
        self._terms.append(f"own IS {'NOT ' if only else ''}NULL")
        return not only or self._lead(f"INDEXED BY by_own WHERE {PARTIAL['own']}")

    def text(self, text: str) -> bool:
        r"""Keep rows whose path holds *text*. To be added last: it looks at the other filters."""
        escaped = visible(text).replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        self._text = {"text": f"%{escaped}%"}
        if min(lead.rows for lead in self._leads) < _FEW:
            self._terms.append(f"(SELECT {_LIKE} FROM paths WHERE id = entries.path)")  # noqa: S608
            return True
        path_ids = self._db.execute(f"SELECT id FROM paths WHERE {_LIKE} LIMIT {_LISTED + 1}", self._text).fetchall()  # noqa: S608
        if len(path_ids) > _LISTED:
            self._terms.append(f"path IN (SELECT id FROM paths WHERE {_LIKE})")  # noqa: S608
            return True
        numbers = ",".join(str(number) for (number,) in path_ids)
        self._terms.append(f"path IN ({numbers})")
        return bool(path_ids) and self._lead(_source("path", numbers))

    def newest(self, limit: int) -> list[int]:
        """Return the numbers of the newest *limit* rows that pass, newest first."""
        terms = " AND ".join(self._terms)
        numbers: list[int] = []
        for source in min(self._leads, key=_rows).sources:
            statement = f"SELECT seq FROM entries {source} AND {terms} ORDER BY seq DESC LIMIT {limit:d}"  # noqa: S608
            numbers.extend(seq for (seq,) in self._db.execute(statement, self._text))
        return sorted(numbers, reverse=True)[:limit]

    def _lead(self, *sources: str) -> bool:
        """Offer *sources* as a leading filter; return whether they have any rows."""
        rows = 0
        for source in sources:
            counted = f"SELECT 1 FROM entries {source} AND {self._range} LIMIT {self._most}"  # noqa: S608
            rows += self._db.execute(f"SELECT count(*) FROM ({counted})").fetchone()[0]  # noqa: S608
        self._leads.append(_Lead(sources, rows))
        return rows > 0


def number_of(db: sqlite3.Connection, term: str) -> int | None:
    """Return the number of *term* in the month open in *db*, or None when it does not occur."""
    row = db.execute("SELECT id FROM words WHERE word = ?", (visible(term),)).fetchone()
    return int(row[0]) if row else None


def _source(column: str, numbers: str) -> str:
    # The condition of the partial index is repeated, so that SQLite recognises that the index covers the rows.
    return f"INDEXED BY by_{column} WHERE {column} IN ({numbers}) AND {PARTIAL[column]}"


def _rows(lead: _Lead) -> int:
    return lead.rows
