"""The journal and the log hold every result once, and neither keeps access open."""

import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.errors import RefusedError, UnreachableError
from agent.offboard.journal import RevocationJournal
from agent.offboard.plan import Cause
from agent.offboard.runner import Runner
from agent.offboard.steps.step import StepResult, StepState
from rules.text import Text
from tests.offboard.host import context
from tests.offboard.runs import NOBODY, OFFICERS, WHAT, finish, noting, step


def test_a_journal_that_takes_nothing_does_not_keep_access_open(tmp_path: Path, journal: RevocationJournal) -> None:
    denied: list[str] = []

    def last() -> StepResult:
        denied.append("and the last step was done")
        return StepResult(StepState.DONE, WHAT)

    runner = Runner(journal, context(tmp_path, deny=noting(denied)), [step("last", last)])
    run = runner.begin("C1", NOBODY, Cause.DEPARTURE, OFFICERS)
    journal._db.execute("PRAGMA query_only = ON")  # noqa: SLF001 - a disk that takes nothing
    with pytest.raises(RefusedError):
        runner.advance("C1")
    assert denied == ["C1", "and the last step was done"]
    journal._db.execute("PRAGMA query_only = OFF")  # noqa: SLF001
    finish(runner, journal)
    assert {done.tries for done in journal.steps(run)} == {1}


def test_every_result_is_an_entry_of_the_log_once(tmp_path: Path, journal: RevocationJournal) -> None:
    entries: list[Any] = []
    away = True

    def append(fields: Any) -> int:
        if away:
            raise UnreachableError(Text("no answer", "无应答"))
        entries.append(fields)
        return len(entries)

    runner = Runner(journal, context(tmp_path, append=append))
    runner.begin("C1", NOBODY, Cause.HOLD, OFFICERS)
    runner.advance("C1")
    assert entries == []
    away = False
    runner.advance("C1")
    runner.advance("C1")
    assert [(entry["kind"], entry["step"], entry["state"]) for entry in entries] == [
        ("revocation", "deny", "confirmed"),
        ("revocation", "holders", "skipped"),
        ("revocation", "samba", "skipped"),
    ]
    assert all(entry["case"] == "C1" and entry["person"] == "E1001" for entry in entries)


def test_the_journal_is_root_s_alone_and_knows_what_it_does_not_know(
    tmp_path: Path, journal: RevocationJournal
) -> None:
    assert stat.S_IMODE((tmp_path / "offboard.db").stat().st_mode) == 0o600
    with pytest.raises(RefusedError):
        journal.run("C1")


def test_times_come_from_the_agent_s_clock(tmp_path: Path, journal: RevocationJournal) -> None:
    at = datetime(2026, 12, 1, tzinfo=UTC)
    runner = Runner(journal, context(tmp_path, now=lambda: at))
    run = runner.begin("C1", NOBODY, Cause.HOLD, OFFICERS)
    runner.advance("C1")
    assert run.begun_at == at
    assert {done.ended_at for done in journal.steps(run)} == {at}
