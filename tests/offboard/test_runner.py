"""A run is done once, whatever happens to it: every step on its own, and the same end after a kill at any moment."""

import os
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.errors import FatalError, RefusedError, UnreachableError
from agent.offboard.callers import Caller, caller
from agent.offboard.context import Account, AreaPath, DenialAck, RevocationContext, RevocationSubject
from agent.offboard.journal import JournaledStep, RevocationJournal
from agent.offboard.plan import Cause
from agent.offboard.runner import Runner, steps_for
from agent.offboard.steps import tasks
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, always
from rules.text import Text
from tests import needs
from tests.offboard.host import area, child, context, furnish, leaver, picture, unused_uid

WHAT = Text("done", "完成")
OFFICERS = ("E2001",)


@pytest.fixture
def uid() -> Iterator[int]:
    with unused_uid() as found:
        yield found


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[RevocationJournal]:
    with closing(RevocationJournal(tmp_path / "offboard.db")) as found:
        yield found


def step(name: str, run: Callable[[], StepResult], **more: Any) -> RevocationStep:
    return RevocationStep(
        name, WHAT, always, lambda _leaver, _context: (), lambda _leaver, _context, _case: run(), **more
    )


def states(done: list[JournaledStep]) -> dict[str, StepState]:
    return {each.step: each.result.state for each in done}


def finish(runner: Runner, journal: RevocationJournal) -> None:
    """Do what is left of every run until nothing is, as the process of departures does again and again."""
    while left := [run.case for run in journal.unfinished()]:
        runner.advance_together(left, lambda _case: None)


def noting(denied: list[str]) -> Callable[[str], DenialAck]:
    def deny(person: str) -> DenialAck:
        denied.append(person)
        return DenialAck(len(denied), datetime.now(UTC))

    return deny


NOBODY = RevocationSubject("E1001")


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
    assert all(each.result.detail.zh for each in done)


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
    assert (found["fails"].state, found["fails"].detail.en) == (
        StepState.PENDING,
        "failed: `ZeroDivisionError: \\x1b[2J`",
    )
    assert (found["refused"].state, found["refused"].detail.en) == (StepState.PENDING, "the door is away")
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
    assert denied == ["E1001"]
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
        assert (one.alive, denied) == (True, [who.id])
        assert journal.unfinished() == [journal.run(run.case)]
        runner.begin("C1", who, Cause.DEPARTURE, ("E2002",))
        assert states(runner.advance("C1"))["processes"] is StepState.CONFIRMED
        assert not one.alive
    assert journal.run("C1").officers == ("", who.id, "E2001", "E2002")
    assert denied == [who.id]


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

    runner = Runner(journal, context(tmp_path, append=append))
    run = runner.begin("H1", NOBODY, Cause.HOLD, OFFICERS)
    runner.cut("H1")
    runner.abandon("H1", Text("the hold was lifted", "停权已解除"))
    found = {done.step: done.result for done in journal.steps(run)}
    assert found.pop("deny").state is StepState.CONFIRMED
    assert {(result.state, result.detail.zh) for result in found.values()} == {(StepState.SKIPPED, "停权已解除")}
    assert journal.unfinished() == []
    assert [entry["step"] for entry in entries] == ["deny", "holders", "samba"]


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
        journal, context(tmp_path), told=lambda case, step, state: order.append((case, step)) if state else None
    )
    for case in ("C1", "C2"):
        runner.begin(case, NOBODY, Cause.DEPARTURE, OFFICERS)
    runner.advance_together(["C1", "C2"], lambda _case: None)
    assert order[:4] == [("C1", "deny"), ("C1", "processes"), ("C2", "deny"), ("C2", "processes")]


# --- steps alongside ------------------------------------------------------------------------------


def test_a_dead_door_delays_nothing_and_stays_pending(
    tmp_path: Path, journal: RevocationJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.offboard.runner._ANSWER", 0.05)
    opened = threading.Event()

    def dead() -> StepResult:
        opened.wait(60)
        return StepResult(StepState.CONFIRMED, WHAT)

    doors = [
        step("door-dead", dead, alongside=True),
        step("door-good", lambda: StepResult(StepState.CONFIRMED, WHAT), alongside=True),
    ]
    runner = Runner(journal, context(tmp_path), doors)
    runner.begin("C1", NOBODY, Cause.DEPARTURE, OFFICERS)
    found = states(runner.advance("C1"))
    assert (found["door-dead"], found["door-good"]) == (StepState.PENDING, StepState.CONFIRMED)
    assert found["acl"] is StepState.SKIPPED
    opened.set()
    finish(runner, journal)
    assert states(journal.steps(journal.run("C1")))["door-dead"] is StepState.CONFIRMED
    runner.close()


# --- the journal and the log ----------------------------------------------------------------------


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
    assert denied == ["E1001", "and the last step was done"]
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


# --- killed anywhere ------------------------------------------------------------------------------

CHANGES = frozenset(
    f"os.{name}"
    for name in ("rename", "remove", "mkdir", "rmdir", "chown", "chmod", "utime", "symlink", "setxattr", "fork")
) | {"subprocess.Popen"}


class Scene:
    """One host, one area, one leaver with processes, made the same each time; and runners that are killed in it."""

    def __init__(self, top: Path, uid: int, seized: Path) -> None:
        self.top = top
        self.seized = seized
        top.mkdir()
        furnish(top, uid)
        self.place: AreaPath = area(top, uid)
        self.context: RevocationContext = context(top, areas=lambda: [self.place], seized=seized)
        self.who = leaver(top, uid)

    def run(self, count: Callable[[Callable[[], None]], Callable[..., None]], kill_at: int) -> bool:
        """Run in a child that is killed when *count* has counted to *kill_at*; return whether it was killed."""
        pid = os.fork()
        if pid == 0:
            left = kill_at

            def tick() -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            try:
                journal = RevocationJournal(self.top / "offboard.db")
                told = count(tick)
                here = replace(self.context, rails=lambda: type(self.context.rails())(frozenset({os.getpid()})))
                runner = Runner(journal, here, told=told)
                runner.begin("C1", self.who, Cause.DEPARTURE, OFFICERS)
                runner.advance("C1")
                os._exit(0)
            finally:
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert status in (0, -signal.SIGKILL)
        return status != 0

    def end(self) -> tuple[object, ...]:
        """Return everything that must be the same however often the runner was killed.

        What a killed try had ended and not yet written down is ended, and is not counted by the next one.
        """
        with closing(RevocationJournal(self.top / "offboard.db")) as journal:
            found = states(journal.steps(journal.run("C1")))
        files = picture(self.top) | {f"kept: {name}": what for name, what in picture(self.seized).items()}
        shown = {name.replace(str(self.top).lstrip("/"), "TOP"): what for name, what in files.items()}
        owners = shown.pop("kept: C1/owners.jsonl")
        assert "kept: C1/TOP/host/home/zhang/.config/systemd/user/copy.timer" in shown
        return found, {name: what for name, what in shown.items() if not name.startswith("offboard.db")}, owners[:3]

    def discard(self) -> None:
        """Remove every trace of it."""
        for top in (self.top, self.seized):
            for path in sorted(top.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
            if top.exists():
                top.rmdir()


def at_steps(tick: Callable[[], None]) -> Callable[..., None]:
    return lambda _case, _step, _state: tick()


def at_changes(tick: Callable[[], None], only: str = "") -> Callable[..., None]:
    """Count every change the process makes to the host (in the step *only*): just before it is made."""
    inside = False

    def heard(event: str, args: tuple[Any, ...]) -> None:
        if inside and (event in CHANGES or (event == "open" and args[2] & os.O_CREAT)):
            tick()

    def told(_case: str, step: str, state: StepState | None) -> None:
        nonlocal inside
        inside = not only or (step == only and state is None)

    sys.addaudithook(heard)
    return told


def at_owners(tick: Callable[[], None]) -> Callable[..., None]:
    return at_changes(tick, "acl")


@needs.root
@pytest.mark.parametrize(
    ("count", "stride", "elsewhere"),
    [(at_steps, 1, False), (at_owners, 1, False), (at_changes, 9, False), (at_changes, 9, True)],
    ids=["between two steps", "while owners change", "before a change", "before a change, kept elsewhere"],
)
def test_killed_anywhere_and_resumed_it_ends_the_same(
    tmp_path: Path, uid: int, count: Any, stride: int, elsewhere: bool
) -> None:
    """Every *stride*-th moment; with 1 for all of them it holds as well, and takes minutes."""
    tmp_path.chmod(0o711)
    seized = Path("/dev/shm" if elsewhere else tmp_path) / f"shoumi-test-seized-{os.getpid()}"
    wanted = None
    kills = 0
    for kill_at in (0, *range(1, 1000, stride)):
        scene = Scene(tmp_path / "scene", uid, seized)
        try:
            with child(uid, uid) as one, child(0, uid) as root:
                killed = scene.run(count, kill_at)
                if killed:
                    assert not scene.run(at_steps, 0)
                assert not one.alive
                assert not root.alive
            assert not tasks.scan([uid])
            wanted = wanted or scene.end()
            assert scene.end() == wanted, kill_at
        finally:
            scene.discard()
        kills += killed
        if kill_at and not killed:
            break
    steps = 2 * len(steps_for(Cause.DEPARTURE))
    assert kills >= {at_steps: steps, at_owners: 8, at_changes: 60 // stride}[count]
