"""Many leavers at once: what is the same work for all is done once, and nobody's trouble is anybody else's."""

import json
import os
import signal
import sqlite3
import stat
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.errors import RefusedError
from agent.kernel.open_files import HeldFile
from agent.kernel.walk import walk
from agent.offboard.context import Account, RevocationContext, RevocationSubject
from agent.offboard.freezing import freeze_processes
from agent.offboard.journal import RevocationJournal
from agent.offboard.plan import Cause
from agent.offboard.runner import Runner
from agent.offboard.steps import acl_bytes, holders
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, always
from agent.runtime import channel
from rules.text import Text
from tests import needs
from tests.offboard.host import area, child, context, owners, reach

pytestmark = needs.root
WHAT = Text("done", "完成")


def person(uid: int) -> RevocationSubject:
    return RevocationSubject(f"E{uid}", (Account(uid),))


def begin(runner: Runner, *uids: int) -> list[str]:
    for uid in uids:
        runner.begin(f"C{uid}", person(uid), Cause.DEPARTURE, ("E2001",))
        runner.cut(f"C{uid}")
    return [f"C{uid}" for uid in uids]


def acl_step(journal: RevocationJournal, case: str) -> StepResult:
    return next(done.result for done in journal.steps(journal.run(case)) if done.step == "acl")


def denied(path: Path) -> set[int]:
    raw = acl_bytes.parse(os.getxattr(path, acl_bytes.ACCESS))
    return {entry.id for entry in raw if entry.tag == acl_bytes.USER and not entry.perm}


def test_leavers_together_share_one_pass_over_the_files(
    tmp_path: Path, uid: int, other: int, journal: RevocationJournal
) -> None:
    place = area(tmp_path, uid)
    theirs = tmp_path / "plans" / "deep" / "theirs.txt"
    theirs.write_text("by the second one")
    os.chown(theirs, other, other)
    walks: list[str] = []

    def counted(path: str) -> Iterator[Any]:
        walks.append(path)
        yield from walk(path)

    runner = Runner(journal, context(tmp_path, areas=lambda: [place], walk=counted))
    names = begin(runner, uid, other)
    ended: list[str] = []
    runner.advance_together(names, ended.append)
    assert ended == names
    assert walks == [place.path]
    for path in (tmp_path / "plans", tmp_path / "plans" / "a.txt", theirs):
        assert denied(path) == {uid, other}
    assert {theirs.stat().st_uid, (tmp_path / "plans" / "deep" / "mine.txt").stat().st_uid} == {0}
    for case, whose, count in zip(names, (uid, other), (1, 1), strict=True):
        assert {line["uid"] for line in owners(tmp_path, case)} == {whose}
        done = acl_step(journal, case)
        assert (done.state, done.facts["owned"]) == (StepState.DONE, count)
    assert journal.unfinished() == []


def test_what_cannot_be_written_of_one_is_that_one_s_alone(
    tmp_path: Path, uid: int, other: int, journal: RevocationJournal
) -> None:
    """The cut of many is one commit; where that fails each is written by itself, and the error is told at the end."""
    runner = Runner(journal, context(tmp_path))
    for each in (uid, other):
        runner.begin(f"C{each}", person(each), Cause.DEPARTURE, ("E2001",))
    refusing = f"""CREATE TRIGGER full BEFORE UPDATE ON steps WHEN NEW.run = {journal.run(f"C{uid}").number}
        BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"""
    with closing(sqlite3.connect(tmp_path / "offboard.db")) as db, db:
        db.execute(refusing)
    with pytest.raises(RefusedError):
        runner.cut_together([f"C{uid}", f"C{other}"])
    cut = {case: {one.step: one.tries for one in journal.steps(journal.run(case))} for case in (f"C{uid}", f"C{other}")}
    assert (cut[f"C{uid}"]["deny"], cut[f"C{other}"]["deny"]) == (0, 1)
    assert cut[f"C{other}"]["processes"] == 1


def test_one_who_joins_later_is_denied_beside_those_who_are(
    tmp_path: Path, uid: int, other: int, journal: RevocationJournal
) -> None:
    place = area(tmp_path, uid)
    runner = Runner(journal, context(tmp_path, areas=lambda: [place]))
    runner.advance_together(begin(runner, uid), lambda _case: None)
    runner.advance_together(begin(runner, other), lambda _case: None)
    assert denied(tmp_path / "plans" / "a.txt") == {uid, other}
    runner.advance_together([f"C{uid}", f"C{other}"], lambda _case: None)  # again: nothing is left to do
    assert stat.S_IMODE((tmp_path / "plans" / "a.txt").stat().st_mode) == 0o664


def test_a_pass_that_fails_leaves_all_of_them_pending_and_their_other_steps_done(
    tmp_path: Path, uid: int, other: int, journal: RevocationJournal
) -> None:
    def broken() -> list[Any]:
        raise ZeroDivisionError

    runner = Runner(journal, context(tmp_path))
    names = begin(runner, uid, other)
    hurt = Runner(journal, context(tmp_path, areas=broken))
    hurt.advance_together(names, lambda _case: None)
    for case in names:
        found = {done.step: done.result.state for done in journal.steps(journal.run(case))}
        assert found.pop("acl") is StepState.PENDING
        assert not any(state.open for state in found.values())


def test_what_cannot_be_issued_for_one_is_issued_for_the_others(
    tmp_path: Path, uid: int, other: int, journal: RevocationJournal
) -> None:
    runner = Runner(journal, context(tmp_path))
    names = begin(runner, uid, other)
    tried: list[str] = []

    def issue(case: str) -> None:
        tried.append(case)
        if case == names[0]:
            raise RefusedError(WHAT)

    with pytest.raises(RefusedError):
        runner.advance_together(names, issue)
    assert tried == names


def test_an_entry_of_a_very_large_result_can_be_handed_over(
    tmp_path: Path, uid: int, journal: RevocationJournal
) -> None:
    """The proof of a site with a thousand areas: its entry once was larger than a message may be, and got lost."""
    facts = {"attempts": [{"area": f"area-{number}", "answer": "denied"} for number in range(10_000)]}
    result = StepResult(StepState.DONE, WHAT, facts)
    large = RevocationStep("large", WHAT, always, lambda _leaver, _context: (), lambda _leaver, _context, _case: result)
    entries: list[Mapping[str, Any]] = []

    def append(fields: Mapping[str, Any]) -> int:
        entries.append(fields)
        return len(entries)

    runner = Runner(journal, context(tmp_path, append=append), [large])
    runner.advance_together(begin(runner, uid), lambda _case: None)
    [entry] = [entry for entry in entries if entry["step"] == "large"]
    assert len(json.dumps(entry)) < channel.MAX_MESSAGE / 10
    assert entry["facts"]["attempts"]["count"] == 10_000
    kept = next(done for done in journal.steps(journal.run(f"C{uid}")) if done.step == "large")
    assert kept.result.facts == facts  # for the receipt, all of it


# --- before anything is written down --------------------------------------------------------------


def halted(
    here: RevocationContext,
    who: RevocationSubject,
    cause: Cause = Cause.DEPARTURE,
    officers: tuple[str, ...] = ("E2001",),
) -> None:
    freeze_processes(who, here, cause, officers, ())


def test_processes_of_a_leaver_are_stopped_and_nobody_else_s(tmp_path: Path, uid: int, other: int) -> None:
    with child(uid, uid) as one, child(other, other) as bystander:
        halted(context(tmp_path), person(uid))
        reach(one.pid, "T")
        reach(bystander.pid, "S")
        assert one.alive


@pytest.mark.parametrize("cause", [Cause.HOLD, Cause.EXPIRY, Cause.TRANSFER, Cause.LOSS])
def test_of_who_stays_only_what_holds_classified_files_is_stopped(
    tmp_path: Path, uid: int, other: int, cause: Cause
) -> None:
    with child(uid, uid) as free, child(uid, uid) as holder, child(other, other) as bystander:
        held = [HeldFile(each.pid, 1, 1, "fd", "") for each in (holder, bystander)]
        here = context(tmp_path, held=lambda _devices, **_of: held, devices=lambda: frozenset({1}))
        halted(here, person(uid), cause)
        reach(holder.pid, "T")
        reach(free.pid, "S")
        reach(bystander.pid, "S")
        assert holders.run(person(uid), here, "C1").state is StepState.CONFIRMED
        assert (holder.alive, free.alive, bystander.alive) == (False, True, True)


def test_an_administrator_is_not_stopped_on_the_word_of_one_officer(tmp_path: Path, uid: int) -> None:
    who = RevocationSubject("E1", (Account(uid),), roles=frozenset({"system"}))
    with child(uid, uid) as one:
        halted(context(tmp_path), who)
        reach(one.pid, "S")
        halted(context(tmp_path), who, officers=("E2001", "E2002"))
        reach(one.pid, "T")
        os.kill(one.pid, signal.SIGCONT)
