"""Monthly files of the search index: SQLite files, their tables and the insertion of rows.

Rules of this file:

* Rows and the end of the covered record are committed together.
* People, areas, rules and similar terms, and paths, are stored once; a row holds their numbers. These are assigned in
  order of appearance, so the same entries always give the same content.
* Narrow rows and the records themselves are in separate tables, so that a search does not read records.
* There are no migrations: the record holds all the data, so a file with other tables is deleted and rebuilt. A change
  of the tables must rename ``reached``, by which :func:`peek` recognises a file of this kind.
* Time is as stamped, and can go back. A file covers one piece of the record, with its earliest and its latest time,
  and the stretches of it in which time goes forward (:mod:`agent.log.stretches`).
"""

import contextlib
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import MAXYEAR, UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Self

from agent.log.segments import ORIGIN, Cursor
from agent.log.stretches import Stretch, begins_anew
from agent.runtime import sqlite_files
from rules.visible import visible

# Terms the partial indexes name by number. Nearly every entry is an access that the rule `allow` allowed: these are
# found by reading backwards, and an index of them would only cost space.
ACCESS, ALLOW, DENY = 1, 2, 3
PARTIAL = {
    "kind": f"kind <> {ACCESS}",
    "verdict": f"verdict = {DENY}",
    "rule": f"rule <> {ALLOW}",
    "area": "area IS NOT NULL",
    "person": "person IS NOT NULL",
    "login_person": "login_person IS NOT person",  # where both are the same, one index suffices
    "own": "own IS NOT NULL",
    "path": "path IS NOT NULL",
}
_INDEXES = "".join(f"CREATE INDEX by_{column} ON entries ({column}) WHERE {rows};" for column, rows in PARTIAL.items())
_SCHEMA = f"""
BEGIN;
CREATE TABLE reached (begin_first INTEGER, begin_offset INTEGER, begin_line BLOB,
                      end_first INTEGER, end_offset INTEGER, end_line BLOB, low INTEGER, high INTEGER, top INTEGER,
                    taken INTEGER);
CREATE TABLE stretches (first INTEGER PRIMARY KEY, boot TEXT, wall INTEGER, judged INTEGER);
CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
CREATE TABLE paths (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
CREATE TABLE entries (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, enforced INTEGER, kind INTEGER, verdict INTEGER,
                      rule INTEGER, area INTEGER, person INTEGER, login_person INTEGER, own INTEGER, path INTEGER);
CREATE TABLE further_areas (area INTEGER, seq INTEGER, PRIMARY KEY (area, seq)) WITHOUT ROWID;
CREATE TABLE lines (seq INTEGER PRIMARY KEY, line BLOB NOT NULL);
INSERT INTO words VALUES ({ACCESS}, 'access'), ({ALLOW}, 'allow'), ({DENY}, 'deny');
{_INDEXES}
COMMIT;
"""  # noqa: S608 - constants of this file
_FILE = re.compile(r"[0-9]{4}-[0-9]{2}(?:\.[0-9]+)?\.db")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_REMEMBERED = 50_000  # numbers of each table kept in memory while writing
_FOREVER = 1 << 62


class IndexedEntry(NamedTuple):
    """The indexed fields of one entry. *at*: microseconds since 1970. *terms*: kind, verdict, rule, area, two persons,
    and the kind of the agent's own attempt. *areas*: further areas beside the one among *terms*.

    *boot*, and with it *mono* and *judged*: the boot, the boot time, and the judged time, both in microseconds.
    """

    seq: int
    at: int
    enforced: bool
    terms: tuple[str | None, ...]
    path: str | None
    line: bytes
    boot: str | None = None
    mono: int = 0
    judged: int = 0
    areas: tuple[str, ...] = ()


class MonthCoverage(NamedTuple):
    """The piece of the record that a file covers.

    *low*, *high*: its earliest and latest time. *top*: the latest of its last stretch. *taken*: how many entries.
    """

    begin: Cursor
    end: Cursor
    low: int
    high: int
    top: int
    taken: int


_NOTHING = (_FOREVER, -_FOREVER, 0, 0)


class Month:
    """A monthly file, open for writing; *begin* is for a new one. Raises sqlite3.Error."""

    def __init__(self, path: Path, begin: Cursor = ORIGIN) -> None:
        self.path = path
        self.since, self.until = _this_month(path), _next_month(path)
        self._terms = _Numbers("words", "word")
        self._paths = _Numbers("paths", "path")
        self._db = sqlite_files.connect(path, "rwc", wal=True)  # readers and the writer never wait for each other
        try:
            self._db.execute("PRAGMA synchronous = NORMAL")  # a power cut undoes whole commits: they are repeated
            if not self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                self._db.executescript(_SCHEMA)
            self.reach = _reach(self._db) or MonthCoverage(begin, begin, *_NOTHING)
            self._stretch = next(stretches(self._db, newest=True), None)
        except sqlite3.Error:
            self._db.close()
            raise

    def add(self, entries: Iterable[IndexedEntry], end: Cursor) -> None:
        """Add *entries*, and record that the file now reaches to *end*, in one transaction."""
        rows, lines, fresh, further = [], [], [], []
        (begin, _, low, high, top, taken), stretch = self.reach, self._stretch
        with self._transaction():
            for entry in entries:
                low, high, top = min(low, entry.at), max(high, entry.at), max(top, entry.at)
                if stretch is None or begins_anew(stretch, top, entry.at, entry.boot, entry.mono):
                    wall = entry.at - entry.mono
                    stretch, top = Stretch(entry.seq, entry.boot, wall, entry.judged - entry.mono), entry.at
                    fresh.append(stretch)
                term_ids = [self._terms.get(term) or self._terms.number(self._db, term) for term in entry.terms]
                further += [
                    (self._terms.get(area) or self._terms.number(self._db, area), entry.seq) for area in entry.areas
                ]
                path = self._paths.get(entry.path) or self._paths.number(self._db, entry.path)
                rows.append((entry.seq, entry.at, entry.enforced, *term_ids, path))
                lines.append((entry.seq, entry.line))
            # IGNORE: a number that occurs twice is damage, named by `verify`; the first entry that carries it is kept.
            self._db.executemany("INSERT OR IGNORE INTO entries VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows)
            self._db.executemany("INSERT OR IGNORE INTO further_areas VALUES (?,?)", further)
            self._db.executemany("INSERT OR IGNORE INTO lines VALUES (?,?)", lines)
            self._db.executemany("INSERT OR IGNORE INTO stretches VALUES (?,?,?,?)", fresh)
            self._db.execute("DELETE FROM reached")
            reach = MonthCoverage(begin, end, low, high, top, taken + len(rows))
            self._db.execute("INSERT INTO reached VALUES (?,?,?,?,?,?,?,?,?,?)", (*begin, *end, *reach[2:]))
        self.reach, self._stretch = reach, stretch

    def finish(self) -> None:
        """Convert the file to a single one that is not extended any more, and close it."""
        with contextlib.suppress(
            sqlite3.OperationalError
        ):  # a reader has it open: it stays as it is, which is harmless
            self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.widen()
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._terms.clear()  # they may name rows that are undone now
            self._paths.clear()
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


class _Numbers(dict[str | None, int]):
    """The numbers of texts in one table, as far as they are cached. None has no number."""

    def __init__(self, table: str, column: str) -> None:
        super().__init__()
        self._find = f"SELECT id FROM {table} WHERE {column} = ?"  # noqa: S608
        self._insert = f"INSERT INTO {table} ({column}) VALUES (?) RETURNING id"  # noqa: S608

    def number(self, db: sqlite3.Connection, text: str | None) -> int | None:
        if text is None:
            return None
        # `visible` again: a record written by others may hold text SQLite cannot store, such as a lone surrogate.
        stored = (visible(text),)
        row = db.execute(self._find, stored).fetchone() or db.execute(self._insert, stored).fetchone()
        if len(self) >= _REMEMBERED:
            self.clear()
        self[text] = int(row[0])
        return self[text]


def files(folder: Path) -> list[Path]:
    """Return the monthly files of an index folder, by name; none when there is no folder."""
    try:
        return sorted(folder / name for name in os.listdir(folder) if _FILE.fullmatch(name))
    except FileNotFoundError:
        return []


def file_name(at: int, piece: int = 1) -> str:
    """Return the name of the file for entries of the time *at*; a month that returns has more than one."""
    moment = _EPOCH + at * _MICROSECOND
    return f"{moment.year:04d}-{moment.month:02d}{f'.{piece}' if piece > 1 else ''}.db"


def microseconds(moment: datetime) -> int:
    """Return *moment* as the index counts time: microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def peek(path: Path) -> MonthCoverage | None:
    """Return the coverage of *path*; None when it is empty or no index of this kind. Raises OperationalError."""
    try:
        with contextlib.closing(sqlite_files.connect(path, "rwc")) as db:
            return _reach(db)
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise  # full disk, locked, no descriptors: the file may be intact
    except sqlite3.DatabaseError:
        return None


def delete(path: Path) -> None:
    """Delete a monthly file with its side files."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{path}{suffix}")


def stretches(db: sqlite3.Connection, *, newest: bool = False) -> Iterator[Stretch]:
    """Yield the stretches of the month open in *db*, the oldest or the newest first."""
    order = "DESC" if newest else "ASC"
    for row in db.execute(f"SELECT first, boot, wall, judged FROM stretches ORDER BY first {order}"):  # noqa: S608
        yield Stretch(*row)


def reach(db: sqlite3.Connection) -> MonthCoverage | None:
    """Return the coverage of the month open in *db*; ``None`` when it is no such index. Raises sqlite3.Error."""
    try:
        return _reach(db)
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise


def _this_month(path: Path) -> int:
    return microseconds(datetime(int(path.name[:4]), int(path.name[5:7]), 1, tzinfo=UTC))


def _next_month(path: Path) -> int:
    year, month = int(path.name[:4]), int(path.name[5:7])
    return microseconds(datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)) if year < MAXYEAR else _FOREVER


def _reach(db: sqlite3.Connection) -> MonthCoverage | None:
    row = db.execute("SELECT * FROM reached").fetchone()
    return MonthCoverage(Cursor(*row[:3]), Cursor(*row[3:6]), *row[6:]) if row else None
