"""A run is done once, whatever happens to it, and every step on its own."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.errors import FatalError, RefusedError, UnreachableError
from agent.offboard.callers import Caller, caller
from agent.offboard.context import Account, DenialAck
from agent.offboard.journal import RevocationJournal
from agent.offboard.plan import Cause
from agent.offboard.runner import Runner
from agent.offboard.steps.step import StepResult, StepState
from rules.text import Text
from tests import needs
from tests.offboard.host import area, child, context, furnish, leaver, unused_uid
from tests.offboard.runs import NOBODY, OFFICERS, WHAT, finish, noting, states, step
from tests.sentences import en, zh

# --- one run --------------------------------------------------------------------------------------


@needs.root
def test_a_departure_ends_everything_on_a_host_and_is_written_down(
    tmp_path: Path, uid: int, journal: RevocationJournal
) -> None:
    furnish(tmp_path, uid)
    place = area(tmp_path, uid)
    here = context(tmp_path, areas=lambda: [place])
    runner = Runner(journal, here)
    with child(uid, uid) as one:
        runner.begin("C1", leaver(tmp_path, uid), Cause.DEPARTURE, OFFICERS)
        assert one.alive
        done = runner.advance("C1")
        assert not one.alive
    assert states(done) == {
        "deny": StepState.CONFIRMED,
        "processes": StepState.CONFIRMED,
        "units": StepState.SKIPPED,
        "timers": StepState.CONFIRMED,
        "sessions": StepState.SKIPPED,
        "cron": StepState.CONFIRMED,
        "at": StepState.CONFIRMED,
        "keys": StepState.CONFIRMED,
        "account": StepState.CONFIRMED,
        "tickets": StepState.CONFIRMED,
        "samba": StepState.SKIPPED,
        "processes-again": StepState.CONFIRMED,
        "acl": StepState.DONE,
    }
    assert all(each.began_at and each.ended_at and each.began_at <= each.ended_at for each in done)
    assert journal.unfinished() == []
    assert all(zh(each.result.detail) for each in done)


@needs.root
def test_an_account_that_is_somebody_else_s_by_now_is_left_alone(
    tmp_path: Path, uid: int, other: int, journal: RevocationJournal
) -> None:
    furnish(tmp_path, uid)
    owners = {uid: "E1001", other: "E1001"}
    here = context(tmp_path, owner=owners.get)
    runner = Runner(journal, here)
    with child(uid) as given_on, child(other) as theirs:
        runner.begin("C1", leaver(tmp_path, uid, other), Cause.DEPARTURE, OFFICERS)
        owners[uid] = "E2"
        runner.advance("C1")
        assert given_on.alive
        assert not theirs.alive
        del owners[uid]  # nobody's: what runs there is the leaver's still
    with child(uid) as left:
        runner.begin("C2", leaver(tmp_path, uid), Cause.DEPARTURE, OFFICERS)
        runner.advance("C2")
        assert not left.alive


def test_one_failing_step_delays_and_stops_no_other(tmp_path: Path, journal: RevocationJournal) -> None:
    ran: list[str] = []

    def fail() -> StepResult:
        ran.append("fails")
        raise ZeroDivisionError("\x1b[2J")

    def refuse() -> StepResult:
        ran.append("refused")
        raise UnreachableError(Text("the door is away", "门禁无应答"))

    def good() -> StepResult:
        ran.append("good")
        return StepResult(StepState.DONE, WHAT)

    more = [step("fails", fail), step("refused", refuse), step("good", good)]
    runner = Runner(journal, context(tmp_path), more)
    runner.begin("C1", NOBODY, Cause.HOLD, OFFICERS)
    found = {each.step: each.result for each in runner.advance("C1")}
    assert ran == ["fails", "refused", "good"]
    assert (found["fails"].state, en(found["fails"].detail)) == (
        StepState.PENDING,
        "the step failed: `ZeroDivisionError: \\x1b[2J`",
    )
    assert (found["refused"].state, en(found["refused"].detail)) == (StepState.PENDING, "the door is away")
    assert found["good"].state is StepState.DONE


def test_a_silent_decider_keeps_nothing_else_from_ending(tmp_path: Path, journal: RevocationJournal) -> None:
    def silent(_person: str) -> DenialAck:
        raise UnreachableError(Text("no answer", "无应答"))

    runner = Runner(journal, context(tmp_path, deny=silent))
    runner.begin("C1", NOBODY, Cause.DEPARTURE, OFFICERS)
    found = states(runner.advance("C1"))
    assert found["deny"] is StepState.PENDING
    assert found["processes"] is StepState.CONFIRMED


def test_pending_steps_are_tried_again_and_finished_ones_are_not(tmp_path: Path, journal: RevocationJournal) -> None:
    tries: list[str] = []

    def later() -> StepResult:
        tries.append("later")
        return StepResult(StepState.PENDING if len(tries) < 3 else StepState.CONFIRMED, WHAT)

    denied: list[str] = []
    here = context(tmp_path, deny=noting(denied))
    runner = Runner(journal, here, [step("later", later)])
    runner.begin("C1", NOBODY, Cause.HOLD, OFFICERS)
    runner.advance("C1")
    finish(runner, journal)
    assert tries == ["later"] * 3
    assert denied == ["C1"]
    last = journal.steps(journal.run("C1"))[-1]
    assert (last.tries, last.result.state) == (3, StepState.CONFIRMED)


def test_the_same_case_twice_is_one_run(tmp_path: Path, journal: RevocationJournal) -> None:
    runner = Runner(journal, context(tmp_path))
    first = runner.begin("C1", NOBODY, Cause.HOLD, OFFICERS)
    assert runner.begin("C1", replace(NOBODY, accounts=(Account(62400),)), Cause.DEPARTURE, OFFICERS) == first
    runner.advance("C1")
    assert states(runner.advance("C1")) == states(journal.steps(first))


@pytest.mark.parametrize("case", ["", "../x", "a/b", ".hidden", "a\n", "a" * 101, "离岗"])
def test_a_case_that_is_no_file_name_is_refused(tmp_path: Path, journal: RevocationJournal, case: str) -> None:
    with pytest.raises(RefusedError):
        Runner(journal, context(tmp_path)).begin(case, NOBODY, Cause.HOLD, OFFICERS)


@needs.root
def test_a_privileged_leaver_is_denied_at_once_and_ended_when_a_second_officer_wants_it(
    tmp_path: Path, uid: int, journal: RevocationJournal
) -> None:
    denied: list[str] = []
    runner = Runner(journal, context(tmp_path, deny=noting(denied)))
    who = replace(leaver(tmp_path, uid), roles=frozenset({"system"}))
    with child(uid, uid) as one:
        for officers in (("E2001",), (who.id, ""), ("E2001",)):
            run = runner.begin("C1", who, Cause.DEPARTURE, officers)
            found = states(runner.advance("C1"))
            assert found.pop("deny") is StepState.CONFIRMED
            assert set(found.values()) == {StepState.PLANNED}
        assert (one.alive, denied) == (True, ["C1"])
        assert journal.unfinished() == [journal.run(run.case)]
        runner.begin("C1", who, Cause.DEPARTURE, ("E2002",))
        assert states(runner.advance("C1"))["processes"] is StepState.CONFIRMED
        assert not one.alive
    assert journal.run("C1").officers == ("", who.id, "E2001", "E2002")
    assert denied == ["C1"]


@needs.root
def test_the_command_that_asked_lives_though_it_runs_in_the_login_of_the_leaver(
    tmp_path: Path, uid: int, journal: RevocationJournal
) -> None:
    runner = Runner(journal, context(tmp_path))
    with child(uid, uid) as one, unused_uid() as officer, child(officer, uid) as command, child(officer, uid) as other:
        asked = caller(command.pid)
        assert asked
        runner.begin("C1", leaver(tmp_path, uid), Cause.DEPARTURE, OFFICERS, [asked])
        found = {done.step: done.result for done in runner.advance("C1")}
        assert (one.alive, command.alive, other.alive) == (False, True, False)
        assert found["processes"].facts["spared"] == [command.pid]
        runner.begin("C2", leaver(tmp_path, uid), Cause.DEPARTURE, OFFICERS, [Caller(asked.pid, asked.started - 1)])
        runner.advance("C2")  # the same number, but of a process that began at another time
        assert not command.alive


def test_a_run_that_has_lost_its_reason_is_given_up_and_what_was_done_stays_done(
    tmp_path: Path, journal: RevocationJournal
) -> None:
    entries: list[Any] = []

    def append(fields: Any) -> int:
        entries.append(fields)
        return len(entries)

    rest = step("rest", lambda: StepResult(StepState.DONE, WHAT))
    runner = Runner(journal, context(tmp_path, append=append), [rest])
    run = runner.begin("H1", NOBODY, Cause.HOLD, OFFICERS)
    runner.cut("H1")
    runner.abandon("H1", Text("the hold was lifted", "停权已解除"))
    found = {done.step: done.result for done in journal.steps(run)}
    assert found.pop("deny").state is StepState.CONFIRMED
    assert zh(found.pop("holders").detail) == "本机没有受保护的涉密目录"  # the cut had found that before
    assert zh(found.pop("samba").detail) == "本机未安装 Samba"  # that, too
    assert {(result.state, zh(result.detail)) for result in found.values()} == {(StepState.SKIPPED, "停权已解除")}
    assert journal.unfinished() == []
    assert [entry["step"] for entry in entries] == ["deny", "holders", "samba", "rest"]


def test_a_damaged_agent_stops_at_once(tmp_path: Path, journal: RevocationJournal) -> None:
    def fatal(_person: str) -> DenialAck:
        raise FatalError(Text("the registry is damaged", "登记库损坏"))

    runner = Runner(journal, context(tmp_path, deny=fatal))
    runner.begin("C1", NOBODY, Cause.DEPARTURE, OFFICERS)
    with pytest.raises(FatalError):
        runner.advance("C1")
    assert [run.case for run in journal.unfinished()] == ["C1"]


def test_everybody_is_cut_before_the_slow_rest_of_anybody(tmp_path: Path, journal: RevocationJournal) -> None:
    order: list[tuple[str, str]] = []
    runner = Runner(
        journal, context(tmp_path), reporter=lambda case, step, state: order.append((case, step)) if state else None
    )
    for case in ("C1", "C2"):
        runner.begin(case, NOBODY, Cause.DEPARTURE, OFFICERS)
    runner.advance_together(["C1", "C2"], lambda _case: None)
    assert order[:4] == [("C1", "deny"), ("C2", "deny"), ("C1", "processes"), ("C2", "processes")]


# --- steps alongside ------------------------------------------------------------------------------


def test_a_dead_door_delays_nothing_and_stays_pending(
    tmp_path: Path, journal: RevocationJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.offboard.runner._ANSWER", 0.05)
    opened, answered = threading.Event(), threading.Event()

    def dead() -> StepResult:
        opened.wait(60)
        return StepResult(StepState.CONFIRMED, WHAT)

    def good() -> StepResult:
        answered.set()
        return StepResult(StepState.CONFIRMED, WHAT)

    def last() -> StepResult:
        assert answered.wait(60)  # a thread that got no processor so far is no dead door
        return StepResult(StepState.DONE, WHAT)

    doors = [step("door-dead", dead, alongside=True), step("door-good", good, alongside=True), step("last", last)]
    runner = Runner(journal, context(tmp_path), doors)
    runner.begin("C1", NOBODY, Cause.DEPARTURE, OFFICERS)
    found = states(runner.advance("C1"))
    assert (found["door-dead"], found["door-good"]) == (StepState.PENDING, StepState.CONFIRMED)
    assert found["acl"] is StepState.SKIPPED
    opened.set()
    finish(runner, journal)
    assert states(journal.steps(journal.run("C1")))["door-dead"] is StepState.CONFIRMED
    runner.close()
