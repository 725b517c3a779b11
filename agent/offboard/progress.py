"""How far a revocation is, for whoever watches it: read from the journal, without a part in it.

Rules of this file: the file is opened to read only, and asking waits for nobody who writes (WAL). A run that nobody has
begun yet has no steps; that is an answer, not an error.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from agent.offboard import proof
from agent.offboard.database import translate_sqlite_errors
from agent.offboard.schema import SCHEMA
from agent.offboard.steps import RESTORING, STEPS, doors
from agent.runtime.schema import version
from rules.text import Text

TITLES = {step.id: step.title for step in (*STEPS, *RESTORING, doors.STEP, *proof.STEPS)}
_QUESTION = (
    "SELECT step, state, detail, tries, began_at, ended_at FROM steps JOIN runs ON number = run WHERE case_id = ?"
    " ORDER BY position"
)


class Progress(NamedTuple):
    """One step: a state of :class:`StepState`, and between which instants it was last tried."""

    step: str
    title: Text
    state: str
    detail: Text
    tries: int
    began_at: str | None
    ended_at: str | None


def progress(file: Path, case: str) -> list[Progress]:
    """Return the steps of the run called *case*, in order.

    Raises :class:`agent.errors.RefusedError` and :class:`agent.errors.FatalError` as :mod:`agent.offboard.database`.
    """
    if not file.exists():
        return []
    with translate_sqlite_errors(file), closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as db:
        version(file, db, SCHEMA)
        known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone()
        rows = db.execute(_QUESTION, (case,)).fetchall() if known else []
    return [
        Progress(step, TITLES.get(step, Text(step, step)), state, Text(*json.loads(detail)), *times)
        for step, state, detail, *times in rows
    ]
