"""Watching a revocation: what the journal holds is told as it stands, and to watch is to touch nothing."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from agent.offboard.context import Account, RevocationSubject
from agent.offboard.journal import JournaledStep, RevocationJournal, WantedRun
from agent.offboard.plan import Cause
from agent.offboard.progress import progress
from agent.offboard.steps import LEAVING
from agent.offboard.steps.step import StepResult, StepState
from rules.text import Text
from tests.offboard.host import now


def test_where_nothing_was_begun_there_are_no_steps_and_no_file_is_made(tmp_path: Path) -> None:
    file = tmp_path / "offboard.db"
    assert progress(file, "C000001") == []
    assert not file.exists()
    RevocationJournal(file).close()
    assert progress(file, "C000001") == []


def test_every_step_is_told_as_it_stands_while_another_writes(tmp_path: Path) -> None:
    file, leaver = tmp_path / "offboard.db", RevocationSubject("E1", (Account(62400),))
    journal = RevocationJournal(file)
    try:
        journal.begin_together(
            [(WantedRun("C000001", leaver, Cause.DEPARTURE, ("E8",)), [step.id for step in LEAVING])], now()
        )
        run = journal.run("C000001")
        told = progress(file, "C000001")
        assert [one.step for one in told] == [step.id for step in LEAVING]
        assert {one.state for one in told} == {"planned"}
        assert told[0].title == LEAVING[0].title
        done = JournaledStep(
            "deny", StepResult(StepState.CONFIRMED, Text("denied", "已拒绝"), {}), began_at=now(), ended_at=now()
        )
        with closing(sqlite3.connect(file)) as writer:  # a writer who takes his time keeps nobody from looking
            writer.execute("BEGIN IMMEDIATE")
            assert progress(file, "C000001") == told
        journal.record(run, replace(done))
        deny, *rest = progress(file, "C000001")
        assert (deny.state, deny.detail, deny.tries) == ("confirmed", Text("denied", "已拒绝"), 1)
        assert {one.state for one in rest} == {"planned"}
        assert progress(file, "C000002") == []
    finally:
        journal.close()
