"""Progress of a revocation for observers, read from the journal.

Rules of this file: the file is opened read-only, and a query waits for no writer (WAL). A run that has not begun has no
steps; that is an answer, not an error.
"""

import json
import math
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from agent.offboard import proof
from agent.offboard.database import translate_sqlite_errors
from agent.offboard.journal import detail_from_json
from agent.offboard.plan import PARTLY, Cause
from agent.offboard.schema import SCHEMA
from agent.offboard.steps import RESTORING, STEPS, doors
from agent.runtime import sqlite_files
from agent.runtime.schema import version
from rules.text import Sentence, foreign

_STEPS = {step.id: step for step in (*STEPS, *RESTORING, doors.STEP, *proof.STEPS)}
TITLES = {step.id: step.title for step in _STEPS.values()}
_QUESTION = (
    "SELECT step, cause, state, detail, tries, began_at, ended_at FROM steps JOIN runs ON number = run"
    " WHERE case_id = ? ORDER BY position"
)


# A run without its receipt is open, whatever the state of its steps; some names may not have a run yet.
_OPEN = (
    "SELECT COUNT(*), MIN(begun_at),"
    " (SELECT COUNT(*) FROM json_each(?) WHERE value NOT IN (SELECT case_id FROM runs))"
    " FROM runs WHERE number IN (SELECT number FROM runs WHERE settled_at IS NULL"
    " UNION SELECT run FROM steps WHERE state IN ('planned', 'pending'))"
)
# Durations of the newest finished runs, in days: of their steps, without the waits between these.
_TOOK = (
    "SELECT SUM(julianday(ended_at) - julianday(began_at)) FROM steps"
    " WHERE run > (SELECT MAX(number) - ? FROM runs) GROUP BY run"
    " HAVING SUM(state IN ('planned', 'pending')) = 0 AND MAX(ended_at) IS NOT NULL ORDER BY run DESC LIMIT ?"
)
_NEWEST = 16
_LOOKED_AT = 256  # runs, from the newest back: an act waits for this
_ALONE = 4  # assumed seconds of a run without precedent


class Backlog(NamedTuple):
    """How many runs are open, since when the oldest is, and in about how many seconds all are over."""

    runs: int
    since: str | None
    seconds: int

    def to_json(self) -> dict[str, object]:
        """Return it as JSON."""
        return {"waiting": self.runs, "since": self.since, "seconds": self.seconds}


class Progress(NamedTuple):
    """One step: a state of :class:`StepState`, and between which instants it was last tried."""

    step: str
    title: Sentence
    state: str
    detail: Sentence
    tries: int
    began_at: str | None
    ended_at: str | None


def titles(cause: Cause) -> dict[str, Sentence]:
    """Return the title of every step, as it is called where access ends for *cause*."""
    return {name: step.titled(partly=cause in PARTLY) for name, step in _STEPS.items()}


def progress(file: Path, case: str) -> list[Progress]:
    """Return the steps of the run called *case*, in order.

    Raises :class:`agent.errors.RefusedError` and :class:`agent.errors.FatalError` as :mod:`agent.offboard.database`.
    """
    rows = _query(file, _QUESTION, case)
    return [
        Progress(step, titles(Cause(cause)).get(step, foreign(step)), state, detail_from_json(detail), *times)
        for step, cause, state, detail, *times in rows
    ]


def waiting(file: Path, unwritten: Collection[str] = ()) -> Backlog:
    """Return the open work. The estimate is the duration of the newest finished runs, one after the other.

    *unwritten*: people about to be cut, without a run a moment ago. Raises as :func:`progress`.
    """
    rows = _query(file, _OPEN, json.dumps(list(unwritten)))
    count, since, coming = rows[0] if rows else (0, None, len(unwritten))
    count += coming
    took = sorted((days or 0) * 86_400 for (days,) in _query(file, _TOOK, _LOOKED_AT, _NEWEST)) if count else []
    alone = took[len(took) // 2] if took else _ALONE
    return Backlog(int(count), since, math.ceil(count * alone))


def _query(file: Path, question: str, *values: object) -> list[Any]:
    if not file.exists():
        return []
    with translate_sqlite_errors(file), closing(sqlite_files.connect(file, "ro")) as db:
        version(file, db, SCHEMA)
        table_exists = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone()
        return db.execute(question, values).fetchall() if table_exists else []
