"""Watching a revocation: what the journal holds is told as it stands, and to watch is to touch nothing."""

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.offboard.context import Account, RevocationSubject
from agent.offboard.journal import JournaledStep, RevocationJournal, WantedRun
from agent.offboard.plan import Cause
from agent.offboard.progress import TITLES, progress, titles
from agent.offboard.runner import survey
from agent.offboard.steps import LEAVING, STAYING
from agent.offboard.steps.step import StepResult, StepState
from rules.text import Text
from tests.offboard.host import context, now
from tests.sentences import en, zh

_ALL = ("every", "all", "一切", "所有", "全部", "每个", "各门")


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


@pytest.mark.parametrize("cause", [Cause.TRANSFER, Cause.EXPIRY, Cause.LOSS])
def test_no_step_speaks_of_everything_where_only_some_areas_are_lost(tmp_path: Path, cause: Cause) -> None:
    areas = frozenset({"plans", "账册"})
    lost = {"tries": areas} if cause is Cause.TRANSFER else {"areas": areas}
    leaver = RevocationSubject("E1", (Account(62400),), **lost)  # type: ignore[arg-type]
    planned = survey(leaver, context(tmp_path), cause).steps
    assert [step.id for step in planned] == [step.id for step in STAYING if step.enabled is None]
    said = [text for step in planned for text in (step.title, *(target.label for target in step.targets))]
    assert not [text for text in said for word in _ALL if word in (*re.findall(r"\w+", en(text)), zh(text)[:2])]
    [[denied], *_] = [step.targets for step in planned]
    assert en(denied.label) == "file opens in `plans`, `账册`, and reads through files open there"
    assert zh(denied.label) == "在 `plans`、`账册` 中打开文件，以及通过其中已打开的文件读取"
    assert {name for name, title in titles(cause).items() if title != TITLES[name]} == {"deny", "acl"}
    with closing(RevocationJournal(tmp_path / "offboard.db")) as journal:
        journal.begin_together([(WantedRun("L000001", leaver, cause, ("E8",)), [one.id for one in STAYING])], now())
        assert progress(tmp_path / "offboard.db", "L000001")[0].title == titles(cause)["deny"] != TITLES["deny"]


@pytest.mark.parametrize("cause", [Cause.DEPARTURE, Cause.HOLD])
def test_where_everything_ends_the_steps_say_so(tmp_path: Path, cause: Cause) -> None:
    [deny, *_] = survey(RevocationSubject("E1", (Account(62400),)), context(tmp_path), cause).steps
    assert (deny.title, titles(cause)) == (TITLES["deny"], TITLES)
    assert en(deny.targets[0].label) == "every file open, and every read through open files"
