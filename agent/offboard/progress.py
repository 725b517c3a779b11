"""How far a revocation is, for whoever watches it: read from the journal, without a part in it.

Rules of this file: the file is opened to read only, and asking waits for nobody who writes (WAL). A run that nobody has
begun yet has no steps; that is an answer, not an error.
"""

import json
import math
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from agent.offboard import proof
from agent.offboard.database import translate_sqlite_errors
from agent.offboard.plan import PARTLY, Cause
from agent.offboard.schema import SCHEMA
from agent.offboard.steps import RESTORING, STEPS, doors
from agent.runtime import sqlite_files
from agent.runtime.schema import version
from rules.text import Text

_STEPS = {step.id: step for step in (*STEPS, *RESTORING, doors.STEP, *proof.STEPS)}
TITLES = {step.id: step.title for step in _STEPS.values()}
_QUESTION = (
    "SELECT step, cause, state, detail, tries, began_at, ended_at FROM steps JOIN runs ON number = run"
    " WHERE case_id = ? ORDER BY position"
)


# A run without its receipt is open, whatever its steps are; of some names it is not known yet whether they have a run.
_OPEN = (
    "SELECT COUNT(*), MIN(begun_at),"
    " (SELECT COUNT(*) FROM json_each(?) WHERE value NOT IN (SELECT case_id FROM runs))"
    " FROM runs WHERE number IN (SELECT number FROM runs WHERE settled_at IS NULL"
    " UNION SELECT run FROM steps WHERE state IN ('planned', 'pending'))"
)
# How long the newest runs took that are over, in days: their steps, and not what they waited for others between these.
_TOOK = (
    "SELECT SUM(julianday(ended_at) - julianday(began_at)) FROM steps"
    " WHERE run > (SELECT MAX(number) - ? FROM runs) GROUP BY run"
    " HAVING SUM(state IN ('planned', 'pending')) = 0 AND MAX(ended_at) IS NOT NULL ORDER BY run DESC LIMIT ?"
)
_NEWEST = 16
_LOOKED_AT = 256  # runs, from the newest back: an act waits for this
_ALONE = 4  # seconds of a run nobody has seen the like of


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
    title: Text
    state: str
    detail: Text
    tries: int
    began_at: str | None
    ended_at: str | None


def titles(cause: Cause) -> dict[str, Text]:
    """Return the title of every step, as it is called where access ends for *cause*."""
    return {name: step.titled(partly=cause in PARTLY) for name, step in _STEPS.items()}


def progress(file: Path, case: str) -> list[Progress]:
    """Return the steps of the run called *case*, in order.

    Raises :class:`agent.errors.RefusedError` and :class:`agent.errors.FatalError` as :mod:`agent.offboard.database`.
    """
    rows = _asked(file, _QUESTION, case)
    return [
        Progress(step, titles(Cause(cause)).get(step, Text(step, step)), state, Text(*json.loads(detail)), *times)
        for step, cause, state, detail, *times in rows
    ]


def waiting(file: Path, unwritten: Collection[str] = ()) -> Backlog:
    """Return how much is open. The estimate is what the newest finished runs took, one after the other.

    *unwritten*: who is about to be cut, and had no run a moment ago.
    Raises as :func:`progress`.
    """
    found = _asked(file, _OPEN, json.dumps(list(unwritten)))
    count, since, coming = found[0] if found else (0, None, len(unwritten))
    count += coming
    took = sorted((days or 0) * 86_400 for (days,) in _asked(file, _TOOK, _LOOKED_AT, _NEWEST)) if count else []
    alone = took[len(took) // 2] if took else _ALONE
    return Backlog(int(count), since, math.ceil(count * alone))


def _asked(file: Path, question: str, *values: object) -> list[Any]:
    if not file.exists():
        return []
    with translate_sqlite_errors(file), closing(sqlite_files.connect(file, "ro")) as db:
        version(file, db, SCHEMA)
        known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone()
        return db.execute(question, values).fetchall() if known else []
