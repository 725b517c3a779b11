"""Deny entries as state: which accounts have them, in which areas, for which case, until they are removed.

    set (before the first one is on a file) → standing → removed, area by area, when they are stale

They are stale where the account belongs to a person who may open the area (rehired, granted again, a uid given to
another person), and everywhere once the account belongs to nobody.

Rules of this file: a row is written before the entries are, so no entry is on a disk without a row. Staleness is
decided by a pure function of the callers' answers; :func:`agent.offboard.steps.acl.take_away` removes the entries. The
table is in ``offboard.db``; one thread at a time writes, any thread may read.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from agent.offboard.context import AreaPath
from agent.offboard.database import open_database, translate_sqlite_errors
from agent.offboard.schema import SCHEMA
from agent.runtime import sqlite_files
from agent.runtime.schema import version

_STANDING = (
    "SELECT uid, case_id, person, areas, set_at FROM deny_entries WHERE removed_at IS NULL ORDER BY uid, case_id"
)


class DeniedAccount(NamedTuple):
    """Entries of *uid*, set for *case* when it was *person*'s. ``areas``: name and path; ``None``: all areas then."""

    uid: int
    case: str
    person: str
    areas: Mapping[str, str] | None
    set_at: str


class DenyLedger:
    """The table. Every method may raise :class:`RefusedError` (try again) and :class:`FatalError` (damaged)."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self._path = path
        self._now = now
        self._db = open_database(path)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def set(self, case: str, person: str, uids: Iterable[int], areas: Iterable[AreaPath]) -> None:
        """Note that entries of *uids* are about to be set in *areas*; durable when it returns."""
        named = json.dumps({area.name: area.path for area in areas})
        rows = [(uid, case, person, named, self._now().isoformat()) for uid in uids]
        with translate_sqlite_errors(self._path):
            self._db.widen(1 << 20)
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany(
                    "INSERT INTO deny_entries (uid, case_id, person, areas, set_at) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (uid, case_id) DO UPDATE SET areas = excluded.areas, set_at = excluded.set_at,"
                    " removed_at = NULL WHERE areas IS NOT excluded.areas OR removed_at IS NOT NULL",
                    rows,
                )
                self._db.execute("COMMIT")
            except BaseException:
                self._rollback()
                raise

    def removed(self, uids: Iterable[int], areas: Iterable[str]) -> None:
        """Note that *uids* have no entry in *areas* any more, whichever case they were set for."""
        area_names, removed_uids = frozenset(areas), frozenset(uids)
        at = self._now().isoformat()
        with translate_sqlite_errors(self._path):
            self._db.widen(1 << 20)
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for row in self._rows():
                    if row.uid in removed_uids and row.areas is not None:
                        remaining = {name: path for name, path in row.areas.items() if name not in area_names}
                        self._db.execute(
                            "UPDATE deny_entries SET areas = ?, removed_at = ? WHERE uid = ? AND case_id = ?",
                            (json.dumps(remaining), None if remaining else at, row.uid, row.case),
                        )
                self._db.execute("COMMIT")
            except BaseException:
                self._rollback()
                raise

    def standing(self, areas: Iterable[AreaPath]) -> list[DeniedAccount]:
        """Return the entries that have not been removed.

        Rows of an earlier version name no area: they are given *areas*, for good. They were set in all areas of that
        time, and none was recorded.
        """
        with translate_sqlite_errors(self._path):
            rows = self._rows()
        unnamed = [row for row in rows if row.areas is None]
        if unnamed:
            all_areas = tuple(areas)
            for row in unnamed:
                self.set(row.case, row.person, (row.uid,), all_areas)
            with translate_sqlite_errors(self._path):
                rows = self._rows()
        return rows

    def _rows(self) -> list[DeniedAccount]:
        return _read(self._db)

    def _rollback(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")


def standing(file: Path) -> list[DeniedAccount]:
    """Return the entries that have not been removed, for readers; raises as :mod:`agent.offboard.database`."""
    if not file.exists():
        return []
    with translate_sqlite_errors(file), closing(sqlite_files.connect(file, "ro")) as db:
        version(file, db, SCHEMA)
        table_exists = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'deny_entries'").fetchone()
        return _read(db) if table_exists else []


def stale(
    rows: Sequence[DeniedAccount],
    owner: Callable[[int], str | None],
    free: Callable[[int], bool],
    may_open: Callable[[str, str], bool],
) -> dict[AreaPath, frozenset[int]]:
    """Return the uids whose entries are to be removed, by area.

    *owner*: the person who has the uid now; *free*: whether this host does not know it either; *may_open*: whether a
    person may open an area, and for a former area, whether the person is eligible at all.
    """
    stale_uids: dict[AreaPath, set[int]] = {}
    for row in rows:
        person = owner(row.uid)
        if person is None and not free(row.uid):
            continue
        for name, path in (row.areas or {}).items():
            if person is None or may_open(person, name):
                stale_uids.setdefault(AreaPath(name, path), set()).add(row.uid)
    return {area: frozenset(uids) for area, uids in stale_uids.items()}


def _read(db: sqlite3.Connection) -> list[DeniedAccount]:
    return [
        DeniedAccount(uid, case, person, None if areas is None else json.loads(areas), at)
        for uid, case, person, areas, at in db.execute(_STANDING)
    ]
