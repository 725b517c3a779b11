"""How far every revocation is, on disk before anything else goes on: what a killed run is resumed from.

Rules of this file: a step without a result has not happened as far as anybody knows, and is done again. A run is
written with all its steps in one transaction before the first of them begins. Rows are never deleted. The file
(``H/offboard.db``) is shared with what HR sends, in other tables. One thread at a time.
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
from rules.text import Text
from rules.visible import visible

_SELECT = "SELECT step, state, detail, facts, tries, began_at, ended_at FROM steps"


@dataclass(frozen=True, slots=True)
class Run:
    """One revocation: who wants it, and which processes asked for it."""

    number: int
    case: str
    cause: Cause
    leaver: RevocationSubject
    officers: tuple[str, ...]
    begun_at: datetime
    callers: tuple[Caller, ...] = ()


class WantedRun(NamedTuple):
    """A run to be begun. *callers* are the processes that asked for it."""

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
        made = self._db.execute(
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
        if made:
            rows = [(made[0], position, step, str(StepState.PLANNED)) for position, step in enumerate(steps)]
            self._db.executemany("INSERT INTO steps (run, position, step, state) VALUES (?, ?, ?, ?)", rows)
        [number, known] = self._db.execute(
            "SELECT number, officers FROM runs WHERE case_id = ?", (run.case,)
        ).fetchone()
        everybody = json.dumps(sorted({*json.loads(known), *named}))
        self._db.execute("UPDATE runs SET officers = ? WHERE number = ?", (everybody, number))
        callers = [(number, *one) for one in run.callers]
        self._db.executemany("INSERT OR IGNORE INTO callers VALUES (?, ?, ?)", callers)

    def run(self, case: str) -> Run:
        """Return the run of *case*; raise :class:`RefusedError` when there is none."""
        found = list(self.runs("WHERE case_id = ?", case))
        if not found:
            shown = visible(case)
            raise RefusedError(Text(f"case `{shown}` has no revocation", f"案件 `{shown}` 没有撤权记录"))
        return found[0]

    def unfinished(self) -> list[Run]:
        """Return the runs that have something left to do, oldest first: so each person's are in order."""
        where = "WHERE number IN (SELECT run FROM steps WHERE state IN ('planned', 'pending'))"
        return list(self.runs(where))

    def runs(self, where: str = "", *values: object) -> Iterator[Run]:
        """Yield runs, oldest first. *where* is ours, *values* are anybody's."""
        with translate_sqlite_errors(self._path):
            rows = self._db.execute(
                f"SELECT number, case_id, cause, leaver, officers, begun_at FROM runs {where} ORDER BY number",  # noqa: S608
                values,
            ).fetchall()
            asked = {
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
                tuple(Caller(*one) for one in asked[number]),
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
        return [_done(*row) for row in rows]

    def unsettled(self) -> set[str]:
        """Return the names of the runs that wait for a receipt, or for somebody to say that they need none."""
        with translate_sqlite_errors(self._path):
            return {case for (case,) in self._db.execute("SELECT case_id FROM runs WHERE settled_at IS NULL")}

    def settle(self, case: str, at: datetime) -> None:
        """Note that the receipt of the run *case* is kept, or that it needs none; until a step of it is tried again."""
        with self._change():
            where = "WHERE case_id = ? AND settled_at IS NULL"
            self._db.execute(f"UPDATE runs SET settled_at = ? {where}", (at.isoformat(), case))  # noqa: S608

    def record(self, run: Run, done: JournaledStep) -> None:
        """Write what came of one try, durably."""
        self.record_together([(run, done)])

    def record_together(self, results: Iterable[tuple[Run, JournaledStep]]) -> None:
        """Write what came of many tries, durably, in one commit: all of it or nothing."""
        rows = [
            (
                str(done.result.state),
                json.dumps(list(done.result.detail)),
                json.dumps(dict(done.result.facts)),
                done.began_at.isoformat() if done.began_at else None,
                done.ended_at.isoformat() if done.ended_at else None,
                run.number,
                done.step,
            )
            for run, done in results
        ]  # before others have to wait
        with self._change():
            self._db.executemany(
                "UPDATE steps SET state = ?, detail = ?, facts = ?, tries = tries + 1, began_at = ?, ended_at = ?"
                " WHERE run = ? AND step = ?",
                rows,
            )
            again = {(number,) for *_, number, _step in rows}
            self._db.executemany("UPDATE runs SET settled_at = NULL WHERE number = ? AND settled_at NOT NULL", again)

    def unlogged(self, run: Run) -> list[JournaledStep]:
        """Return the steps whose present result is not in the access log yet."""
        with translate_sqlite_errors(self._path):
            rows = self._db.execute(
                f"{_SELECT} WHERE run = ? AND tries > 0 AND logged IS NOT ended_at ORDER BY position",
                (run.number,),
            ).fetchall()
        return [_done(*row) for row in rows]

    def logged(self, run: Run, done: JournaledStep) -> None:
        """Note that this result is in the access log."""
        at = done.ended_at.isoformat() if done.ended_at else None
        with self._change():
            self._db.execute("UPDATE steps SET logged = ? WHERE run = ? AND step = ?", (at, run.number, done.step))

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


def _done(
    step: str, state: str, detail: str, facts: str, tries: int, began_at: str | None, ended_at: str | None
) -> JournaledStep:
    return JournaledStep(
        step,
        StepResult(StepState(state), Text(*json.loads(detail)), json.loads(facts)),
        tries,
        datetime.fromisoformat(began_at) if began_at else None,
        datetime.fromisoformat(ended_at) if ended_at else None,
    )
