"""Search of the log: newest first, file by file, until the page is full.

The newest entry has the highest number: time can go back in the record (:mod:`agent.log.stretches`).

Rules of this file:

* It only reads: a file is opened ``mode=ro`` for one page and closed before the page is handed over, so that a reader,
  however slow, never keeps the writer from cleaning up.
* A month that cannot be read is an error, never an empty answer.
* A query can be stopped: a slow one on a cold disk must not outlive its caller.
* Reading the log is an act, which the caller records.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from agent.errors import RefusedError, UsageError
from agent.log import month
from agent.log.month import PARTIAL, MonthCoverage, files, microseconds, peek
from agent.log.query_plan import QueryPlan, number_of
from agent.log.stretches import SLACK, Stretch, Window, right_ones, windows
from agent.runtime import sqlite_files
from rules.text import Message

Stop = Callable[[], bool]
T = TypeVar("T")

_STEPS = 1_000  # of SQLite's virtual machine between two calls of ``stop``: some 10 µs
_PAGE = 1_000  # rows fetched at a time, however many are wanted
_NUMBERS = 50_000  # the same where only their numbers are
_LONGEST_TEXT = 10_000  # characters; SQLite refuses patterns beyond 50,000 bytes
_EVER = 1 << 62


class QueryStoppedError(Exception):
    """The query was stopped by its ``stop``."""


class LogRow(NamedTuple):
    """One entry: its sequence number and the exact bytes of the record."""

    seq: int
    line: bytes

    @property
    def entry(self) -> dict[str, object]:
        """The record, parsed."""
        parsed: dict[str, object] = json.loads(self.line)
        return parsed


@dataclass(frozen=True, slots=True)
class Filter:
    """The search filter; every given field must match.

    *person* matches either of the two persons behind an access, *area* an area or a room that an entry is about, alone
    or with others, *text* any part of the path (ASCII letters in both cases). *own*: only attempts by the agent itself,
    or none of them. *since* is inclusive, *until* exclusive, both aware; entries stamped by a wrong clock are found by
    their stamp and by their real time, where that is known. *after_seq* and *before_seq* are exclusive: the next older
    page has the last number of this one as its *before_seq*.
    """

    person: str | None = None
    area: str | None = None
    verdict: str | None = None
    kind: str | None = None
    rule: str | None = None
    own: bool | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after_seq: int | None = None
    before_seq: int | None = None
    limit: int = 200


class Denied(NamedTuple):
    """Accesses of one subject that an area in observe mode allowed and enforce mode would have denied."""

    person: str | None
    login_person: str | None
    times: int
    rules: tuple[str, ...]
    first: LogRow
    last: LogRow


def query(index_folder: Path, wanted: Filter, stop: Stop | None = None) -> Iterator[LogRow]:
    """Yield at most ``wanted.limit`` entries, newest first.

    *stop* is asked before each page, and again and again in a long one.

    Raises :exc:`QueryStoppedError`, :exc:`UsageError` for an over-long text, and :exc:`RefusedError` when the index
    cannot be read.
    """
    for page in _pages(index_folder, wanted, stop, _PAGE, _rows):
        yield from page


def numbers(index_folder: Path, wanted: Filter, stop: Stop | None = None) -> list[int]:
    """Return the sequence numbers of the matches of :func:`query`, without reading records. Raises as it does."""
    return [number for page in _pages(index_folder, wanted, stop, _NUMBERS, _as_they_are) for number in page]


def find(index_folder: Path, seq: int) -> LogRow | None:
    """Return the entry with number *seq*, or None. Raises as :func:`query` does."""
    return next(query(index_folder, Filter(after_seq=seq - 1, before_seq=seq + 1, limit=1)), None)


def last_seq(index_folder: Path) -> int:
    """Return the highest number indexed, 0 when there is none. Raises as :func:`query` does."""
    return next((row.seq for row in query(index_folder, Filter(limit=1))), 0)


def denied_while_observing(
    index_folder: Path, area: str, since: datetime, stop: Stop | None = None
) -> tuple[Denied, ...]:
    """Return the subjects that would have been denied in *area* since then, most often first."""
    by_subject: dict[tuple[str | None, str | None], Denied] = {}
    for path, window in _windows(index_folder, since, None):
        with _reading(path, stop) as db:
            for denied in _denied(db, area, window):
                subject = denied.person, denied.login_person
                by_subject[subject] = _added(by_subject[subject], denied) if subject in by_subject else denied
    return tuple(sorted(by_subject.values(), key=lambda denied: (-denied.times, denied.first)))


def _pages(
    index_folder: Path,
    wanted: Filter,
    stop: Stop | None,
    size: int,
    fetch: Callable[[sqlite3.Connection, list[int]], T],
) -> Iterator[T]:
    """Yield the results of *fetch* for the matching numbers, newest first, at most *size* at a time."""
    if wanted.text and len(wanted.text) > _LONGEST_TEXT:
        raise UsageError(Message("log.search-text-too-long"))
    missing, before = wanted.limit, wanted.before_seq
    for path, window in reversed(_windows(index_folder, wanted.since, wanted.until)):
        full = True
        while full and missing > 0:
            most = min(missing, size)
            with _reading(path, stop) as db:
                page_numbers = _page(db, wanted, window, before, most)
                page = fetch(db, page_numbers)
            yield page
            missing -= len(page_numbers)
            full = len(page_numbers) == most
            before = page_numbers[-1] if full else before


def _page(db: sqlite3.Connection, wanted: Filter, window: Window, before: int | None, size: int) -> list[int]:
    """Return the numbers of the newest *size* matches in one window before the number *before*."""
    low, high = _bounds(db, window, wanted.after_seq, before)
    if high - low <= 1:
        return []
    plan = QueryPlan(db, low, high)
    if window.times:
        plan.times(window.times)
    terms = {"kind": wanted.kind, "verdict": wanted.verdict, "rule": wanted.rule}
    matching = (
        all(plan.term(column, term) for column, term in terms.items() if term is not None)
        and (wanted.area is None or plan.area(wanted.area))
        and (wanted.person is None or plan.person(wanted.person))
        and (wanted.own is None or plan.own(wanted.own))
        and (not wanted.text or plan.text(wanted.text))
    )
    return plan.newest(size) if matching else []


def _bounds(db: sqlite3.Connection, window: Window, after: int | None, before: int | None) -> tuple[int, int]:
    """Return the exclusive bounds of the numbers that can match in *window*."""
    held = "FROM entries WHERE seq >= ? AND seq < ?"
    row = db.execute(f"SELECT (SELECT min(seq) {held}), (SELECT max(seq) {held})", (*window[:2], *window[:2]))
    first, last = row.fetchone()
    if first is None:
        return 0, 0
    low, high = first - 1, last + 1
    if window.times:  # entries of a stretch are out of order by the slack at most
        low = _first_since(db, min(since for since, _ in window.times) - SLACK, first, last) - 1
        high = _first_since(db, max(until for _, until in window.times) + SLACK, first, last)
    if after is not None:
        low = min(max(low, after), last)
    if before is not None:
        high = max(min(high, before), first)
    return low, high


def _first_since(db: sqlite3.Connection, at: int, first: int, last: int) -> int:
    """Return about the lowest number from *first* to *last* that has reached *at*; *last* + 1 when none has."""
    low, high = first, last + 1
    while low < high:
        middle = (low + high) // 2
        seq, moment = db.execute(
            "SELECT seq, at FROM entries WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)
        ).fetchone()
        if moment >= at or seq > last:
            high = middle
        else:
            low = seq + 1
    return low


def _rows(db: sqlite3.Connection, numbers: list[int]) -> list[LogRow]:
    return [LogRow(*db.execute("SELECT seq, line FROM lines WHERE seq = ?", (seq,)).fetchone()) for seq in numbers]


def _as_they_are(_db: sqlite3.Connection, numbers: list[int]) -> list[int]:
    return numbers


def _denied(db: sqlite3.Connection, area: str, window: Window) -> Iterator[Denied]:
    low, high = _bounds(db, window, None, None)
    times = " OR ".join(f"at >= {since:d} AND at < {until:d}" for since, until in window.times)
    statement = f"""
        SELECT (SELECT word FROM words WHERE id = person), (SELECT word FROM words WHERE id = login_person), count(*),
               (SELECT word FROM words WHERE id = rule), min(seq), max(seq)
        FROM entries INDEXED BY by_verdict
        WHERE {PARTIAL["verdict"]} AND NOT enforced AND area = ? AND seq > ? AND seq < ? AND ({times})
        GROUP BY person, login_person, rule
    """  # noqa: S608 - a constant of ``month``, and numbers
    for person, login_person, count, rule, first, last in db.execute(statement, (number_of(db, area), low, high)):
        yield Denied(person, login_person, count, (rule,) if rule else (), *_rows(db, [first, last]))


def _added(total: Denied, further: Denied) -> Denied:
    return total._replace(
        times=total.times + further.times,
        rules=tuple(sorted({*total.rules, *further.rules})),
        first=min(total.first, further.first),
        last=max(total.last, further.last),
    )


def _windows(index_folder: Path, since: datetime | None, until: datetime | None) -> list[tuple[Path, Window]]:
    """Return the windows that can hold entries from *since* until *until*, in the order of the record."""
    pieces = sorted(filter(None, map(_piece, files(index_folder))), key=_place)
    if since is None and until is None:
        return [(path, Window(0, _EVER, ())) for path, _, _ in pieces]
    low = microseconds(since) if since else -_EVER
    high = microseconds(until) if until else _EVER
    right = right_ones(stretch for _, _, stretches in pieces for stretch in stretches)
    return [
        (path, window)
        for path, reach, stretches in pieces
        for window in windows(stretches, _EVER, right, low, high)
        if any(first <= reach.high and reach.low < last for first, last in window.times)
    ]


def _piece(path: Path) -> tuple[Path, MonthCoverage, list[Stretch]] | None:
    """Return the coverage of a file; ``None`` when it is empty, as after a killed indexer."""
    try:
        with contextlib.closing(sqlite_files.connect(path, "ro")) as db:
            reach = month.reach(db)
            return (path, reach, list(month.stretches(db))) if reach else None
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
            raise _unreadable(path, error) from error
    except sqlite3.DatabaseError as error:
        raise _unreadable(path, error) from error
    return _piece(path) if peek(path) else None  # opening it for writing undoes incomplete transactions


def _place(piece: tuple[Path, MonthCoverage, list[Stretch]]) -> tuple[int, int]:
    return piece[1].begin[:2]


@contextlib.contextmanager
def _reading(path: Path, stop: Stop | None) -> Iterator[sqlite3.Connection]:
    try:
        with contextlib.closing(sqlite_files.connect(path, "ro")) as db:
            if stop and stop():
                raise QueryStoppedError
            db.set_progress_handler(stop, _STEPS)
            yield db
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            raise QueryStoppedError from error
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: sqlite3.Error) -> RefusedError:
    return RefusedError(
        Message("log.index-file-unreadable", path=path.name, error=str(error)),
        Message("log.index-can-be-rebuilt"),
    )
