"""The journal of revocations: the progress of every run on disk, from which a killed run is resumed.

Rules of this file: a step without a result is not known to have happened and is done again. A run is written with all
its steps in one transaction before the first of them begins. Rows are never deleted. The file (``H/offboard.db``) is
shared with the notices of HR, in other tables. One thread at a time.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from agent.errors import RefusedError
from agent.offboard.callers import Caller
from agent.offboard.context import RevocationSubject
from agent.offboard.database import open_database, translate_sqlite_errors
from agent.offboard.plan import Cause
from agent.offboard.steps.step import StepResult, StepState
from rules.text import Message, Sentence, Text, from_json

_SELECT = "SELECT step, state, detail, facts, tries, began_at, ended_at FROM steps"


@dataclass(frozen=True, slots=True)
class Run:
    """One revocation, with its officers and the processes that requested it."""

    number: int
    case: str
    cause: Cause
    leaver: RevocationSubject
    officers: tuple[str, ...]
    begun_at: datetime
    callers: tuple[Caller, ...] = ()


class WantedRun(NamedTuple):
    """A run to be begun. *callers* are the processes that requested it."""

    case: str
    leaver: RevocationSubject
    cause: Cause
    officers: tuple[str, ...] = ()
    callers: tuple[Caller, ...] = ()


@dataclass(frozen=True, slots=True)
class JournaledStep:
    """One step of a run: its last result, how often it was tried, and between which instants the last time."""

    step: str
    result: StepResult
    tries: int = 0
    began_at: datetime | None = None
    ended_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "step": self.step,
            "state": str(self.result.state),
            "detail": self.result.detail.to_json(),
            "facts": dict(self.result.facts),
            "tries": self.tries,
            "began_at": self.began_at.isoformat() if self.began_at else None,
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
        }


class RevocationJournal:
    """The two tables. Every method may raise :class:`RefusedError` (try again) and :class:`FatalError` (damaged)."""

    def __init__(self, path: Path, *, checkpoints: bool = True) -> None:
        """Open the file at *path*. Without *checkpoints* see :func:`agent.offboard.database.open_database`."""
        self._path = path
        self._db = open_database(path, checkpoints=checkpoints)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def begin_together(self, wanted: Iterable[tuple[WantedRun, Iterable[str]]], at: datetime) -> None:
        """Write runs with their steps, all planned, in one commit; a case that has one gains officers and callers."""
        with self._change():
            for run, steps in wanted:
                self._begin(run, steps, at)

    def _begin(self, run: WantedRun, steps: Iterable[str], at: datetime) -> None:
        named = sorted(set(run.officers))
        inserted = self._db.execute(
            "INSERT INTO runs (case_id, person, cause, leaver, officers, begun_at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING RETURNING number",
            (
                run.case,
                run.leaver.id,
                str(run.cause),
                json.dumps(run.leaver.to_json()),
                json.dumps(named),
                at.isoformat(),
            ),
        ).fetchone()
        if inserted:
            rows = [(inserted[0], position, step, str(StepState.PLANNED)) for position, step in enumerate(steps)]
            self._db.executemany("INSERT INTO steps (run, position, step, state) VALUES (?, ?, ?, ?)", rows)
        [number, earlier] = self._db.execute(
            "SELECT number, officers FROM runs WHERE case_id = ?", (run.case,)
        ).fetchone()
        everybody = json.dumps(sorted({*json.loads(earlier), *named}))
        self._db.execute("UPDATE runs SET officers = ? WHERE number = ?", (everybody, number))
        callers = [(number, *caller) for caller in run.callers]
        self._db.executemany("INSERT OR IGNORE INTO callers VALUES (?, ?, ?)", callers)

    def run(self, case: str) -> Run:
        """Return the run of *case*; raise :class:`RefusedError` when there is none."""
        runs = list(self.runs("WHERE case_id = ?", case))
        if not runs:
            raise RefusedError(Message("offboard.revocation-not-found", case=case))
        return runs[0]

    def unfinished(self) -> list[Run]:
        """Return the runs with open steps, oldest first: so those of each person are in order."""
        condition = "WHERE number IN (SELECT run FROM steps WHERE state IN ('planned', 'pending'))"
        return list(self.runs(condition))

    def runs(self, condition: str = "", *values: object) -> Iterator[Run]:
        """Yield runs, oldest first. *condition* is our own SQL, *values* may be foreign."""
        with translate_sqlite_errors(self._path):
            rows = self._db.execute(
                f"SELECT number, case_id, cause, leaver, officers, begun_at FROM runs {condition} ORDER BY number",  # noqa: S608
                values,
            ).fetchall()
            callers = {
                number: self._db.execute("SELECT pid, started FROM callers WHERE run = ?", (number,)).fetchall()
                for number, *_ in rows
            }
        for number, case, cause, leaver, officers, begun_at in rows:
            yield Run(
                number,
                case,
                Cause(cause),
                RevocationSubject.from_json(json.loads(leaver)),
                tuple(json.loads(officers)),
                datetime.fromisoformat(begun_at),
                tuple(Caller(*caller) for caller in callers[number]),
            )

    def begun(self) -> set[str]:
        """Return the names of all runs, finished ones too."""
        with translate_sqlite_errors(self._path):
            return {case for (case,) in self._db.execute("SELECT case_id FROM runs")}

    def steps(self, run: Run) -> list[JournaledStep]:
        """Return the steps of *run*, in order."""
        with translate_sqlite_errors(self._path):
            rows = self._db.execute(
                f"{_SELECT} WHERE run = ? ORDER BY position",
                (run.number,),
            ).fetchall()
        return [_journaled_step(*row) for row in rows]

    def unsettled(self) -> set[str]:
        """Return the names of the runs that wait for a receipt, or for the finding that they need none."""
        with translate_sqlite_errors(self._path):
            return {case for (case,) in self._db.execute("SELECT case_id FROM runs WHERE settled_at IS NULL")}

    def settle(self, case: str, at: datetime) -> None:
        """Record that the receipt of the run *case* is kept or not needed; until one of its steps is tried again."""
        with self._change():
            condition = "WHERE case_id = ? AND settled_at IS NULL"
            self._db.execute(f"UPDATE runs SET settled_at = ? {condition}", (at.isoformat(), case))  # noqa: S608

    def record(self, run: Run, attempt: JournaledStep) -> None:
        """Write the result of one attempt, durably."""
        self.record_together([(run, attempt)])

    def record_together(self, results: Iterable[tuple[Run, JournaledStep]]) -> None:
        """Write the results of many attempts, durably, in one commit: all or nothing."""
        rows = [
            (
                str(attempt.result.state),
                json.dumps(attempt.result.detail.to_json()),
                json.dumps(dict(attempt.result.facts)),
                attempt.began_at.isoformat() if attempt.began_at else None,
                attempt.ended_at.isoformat() if attempt.ended_at else None,
                run.number,
                attempt.step,
            )
            for run, attempt in results
        ]  # before others have to wait
        with self._change():
            self._db.executemany(
                "UPDATE steps SET state = ?, detail = ?, facts = ?, tries = tries + 1, began_at = ?, ended_at = ?"
                " WHERE run = ? AND step = ?",
                rows,
            )
            retried = {(number,) for *_, number, _step in rows}
            self._db.executemany("UPDATE runs SET settled_at = NULL WHERE number = ? AND settled_at NOT NULL", retried)

    def unlogged(self, run: Run) -> list[JournaledStep]:
        """Return the steps whose present result is not in the access log."""
        with translate_sqlite_errors(self._path):
            rows = self._db.execute(
                f"{_SELECT} WHERE run = ? AND tries > 0 AND logged IS NOT ended_at ORDER BY position",
                (run.number,),
            ).fetchall()
        return [_journaled_step(*row) for row in rows]

    def logged(self, run: Run, attempt: JournaledStep) -> None:
        """Note that this result is in the access log."""
        at = attempt.ended_at.isoformat() if attempt.ended_at else None
        with self._change():
            self._db.execute("UPDATE steps SET logged = ? WHERE run = ? AND step = ?", (at, run.number, attempt.step))

    @contextmanager
    def _change(self) -> Iterator[None]:
        with translate_sqlite_errors(self._path), closing(self._db.cursor()) as cursor:
            self._db.widen(1 << 20)
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield
                cursor.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    cursor.execute("ROLLBACK")
                raise


def detail_from_json(stored: str) -> Sentence:
    """Read the sentence of a step; earlier versions stored it in both languages, as a list."""
    detail = json.loads(stored)
    return Text(*detail) if isinstance(detail, list) else from_json(detail)


def _journaled_step(
    step: str, state: str, detail: str, facts: str, tries: int, began_at: str | None, ended_at: str | None
) -> JournaledStep:
    return JournaledStep(
        step,
        StepResult(StepState(state), detail_from_json(detail), json.loads(facts)),
        tries,
        datetime.fromisoformat(began_at) if began_at else None,
        datetime.fromisoformat(ended_at) if ended_at else None,
    )
