"""What a proof has found is ended and proven again: against real processes that something starts again."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.offboard import proof, reopening
from agent.offboard.context import Account, RevocationSubject
from agent.offboard.journal import JournaledStep, RevocationJournal
from agent.offboard.plan import Cause
from agent.offboard.proof import Scan
from agent.offboard.runner import Runner
from agent.offboard.steps import starters, tasks
from agent.offboard.steps.starters import Starter
from agent.offboard.steps.step import StepResult, StepState
from rules.text import Text
from tests import needs
from tests.offboard.host import Child, child, context
from tests.offboard.runs import OFFICERS, states
from tests.sentences import en

MORE = proof.STEPS


def step(name: str, state: StepState, facts: Mapping[str, Any] | None = None) -> JournaledStep:
    return JournaledStep(name, StepResult(state, Text("x", "x"), facts or {}), 1)


def found(*processes: dict[str, Any]) -> dict[str, Any]:
    return {"scans": [{"found": list(processes)}, {"found": []}]}


ONE = {"pid": 300, "uid": 62001, "name": "job", "reach": "account"}


def test_what_ends_processes_is_open_again_and_says_what_was_found() -> None:
    by = {"started_by": {"kind": "unit", "name": "report.service", "pid": 0}}
    again = reopening.reopened(
        [
            step("processes", StepState.CONFIRMED),
            step("units", StepState.CONFIRMED),
            step("processes-again", StepState.CONFIRMED, {"killed": 1}),
            step("acl", StepState.DONE),
            step("proof", StepState.PENDING, found(ONE | by)),
        ]
    )
    assert [(one.step, one.result.state) for one in again] == [
        ("units", StepState.PENDING),
        ("processes-again", StepState.PENDING),
    ]
    assert (
        en(again[1].result.detail) == "the proof found 1 process: 300 `job` (started by system unit `report.service`)"
    )
    assert again[1].result.facts == {"killed": 1}


@pytest.mark.parametrize(
    "done",
    [
        [step("holders", StepState.CONFIRMED), step("proof", StepState.CONFIRMED, found())],
        [step("holders", StepState.CONFIRMED), step("proof", StepState.PENDING, found())],
        [step("holders", StepState.CONFIRMED), step("proof", StepState.PENDING)],  # it failed before it looked
        [step("holders", StepState.CONFIRMED)],
        [step("holders", StepState.SKIPPED), step("proof", StepState.PENDING, found(ONE))],
        [step("holders", StepState.PENDING), step("proof", StepState.PENDING, found(ONE))],
        [step("holders", StepState.CONFIRMED), step("proof", StepState.PENDING, found(ONE | {"reach": "protected"}))],
        [step("holders", StepState.CONFIRMED), step("proof", StepState.PENDING, found(ONE | {"reach": "acting"}))],
    ],
)
def test_nothing_is_done_again_that_would_end_nothing(done: list[JournaledStep]) -> None:
    assert reopening.reopened(done) == []


@contextmanager
def respawner(uid: int, every: float) -> Iterator[Child]:
    """A loop of root that starts a process of *uid*, again and again, *every* so many seconds after its end."""

    def loop() -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        while True:
            pid = os.fork()
            if pid == 0:
                os.setresuid(uid, uid, uid)
                signal.alarm(60)
                signal.pause()
                os._exit(0)
            os.waitpid(pid, 0)
            time.sleep(every)

    with child(0, None, loop) as parent:
        while not tasks.scan([uid]):
            os.sched_yield()
        try:
            yield parent
        finally:
            parent.end()
            for one in tasks.scan([uid]):
                os.kill(one.pid, signal.SIGKILL)


@needs.root
def test_a_loop_that_starts_them_again_is_named_and_the_run_goes_on_until_it_is_gone(
    tmp_path: Path, uid: int, journal: RevocationJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = context(tmp_path)
    who = RevocationSubject("E1001", (Account(uid),))
    runner = Runner(journal, here, MORE)
    look = proof.scan
    with respawner(uid, 0.5) as loop:

        def scan(*of: Any) -> Scan:
            while loop.alive and not tasks.scan([uid]):  # it is slower than any step is
                os.sched_yield()
            return look(*of)

        monkeypatch.setattr(proof, "scan", scan)
        runner.begin("C1", who, Cause.DEPARTURE, OFFICERS)
        done = {one.step: one for one in runner.advance("C1")}
        assert done["proof"].result.state is StepState.PENDING
        assert done["proof"].tries == 4  # once, and three times again in one go
        assert done["processes-again"].result.state is StepState.PENDING
        assert f"started by process {loop.pid} " in en(done["processes-again"].result.detail)
        starters_ = done["processes"].result.facts["starters"]
        assert {"kind": "process", "pid": loop.pid} in [{"kind": one["kind"], "pid": one["pid"]} for one in starters_]
        assert journal.unfinished()
    done = {one.step: one for one in runner.advance("C1")}
    assert done["processes-again"].result.state is StepState.CONFIRMED
    assert done["proof"].result.state is StepState.CONFIRMED


@needs.root
def test_one_that_comes_back_once_is_ended_in_the_same_run(
    tmp_path: Path, uid: int, journal: RevocationJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = context(tmp_path)
    who = RevocationSubject("E1001", (Account(uid),))
    late: list[Child] = []
    look = proof.scan

    def scan(*of: Any) -> Scan:
        if not late:  # between the step and its proof
            late.append(Child(uid, None))
        return look(*of)

    monkeypatch.setattr(proof, "scan", scan)
    runner = Runner(journal, here, MORE)
    runner.begin("C1", who, Cause.DEPARTURE, OFFICERS)
    try:
        done = runner.advance("C1")
        assert states(done)["proof"] is StepState.CONFIRMED
        assert states(done)["processes-again"] is StepState.CONFIRMED
        assert not late[0].alive
        tries = {one.step: one.tries for one in done}
        assert (tries["processes"], tries["proof"]) == (1, 2)
        assert tries["processes-again"] == 3  # done, opened again by what was found, done
    finally:
        late[0].end()


@needs.root
def test_who_stays_loses_what_came_back_as_well(
    tmp_path: Path, uid: int, journal: RevocationJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "plans"
    place.mkdir()
    here = context(tmp_path, devices=lambda: frozenset({place.stat().st_dev}))
    late: list[Child] = []
    look = proof._look_at_holders  # noqa: SLF001 - the moment between the step and its proof

    def scan(*of: Any) -> Scan:
        if not late:
            late.append(Child(uid, None))
        return look(*of)

    monkeypatch.setattr(proof, "_look_at_holders", scan)
    runner = Runner(journal, here, MORE)
    runner.begin("H1", RevocationSubject("E1001", (Account(uid),)), Cause.HOLD, OFFICERS)
    try:
        done = runner.advance("H1")
        tries = {one.step: one.tries for one in done}
        assert states(done)["holders"] is StepState.CONFIRMED
        assert states(done)["proof"] is StepState.CONFIRMED
        assert (tries["holders"], tries["proof"]) == (3, 2)  # its working directory is on that filesystem
        assert not late[0].alive
    finally:
        late[0].end()


# --- who started it -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "starter"),
    [
        ("0::/system.slice/report.service\n", Starter("unit", "report.service")),
        ("0::/system.slice/system-job.slice/job@3.service\n", Starter("unit", "job@3.service")),
        ("0::/system.slice/report.service/worker\n", Starter("unit", "report.service")),
        ("0::/user.slice/user-62400.slice/user@62400.service/app.slice/copy.service\n", None),
        ("0::/user.slice/user-62400.slice/session-3.scope\n", None),
        (f"0::/system.slice/docker-{'3f' * 32}.scope\n", Starter("container", "3f" * 32)),
        (f"4:pids:/docker/{'3f' * 32}\n0::/\n", Starter("container", "3f" * 32)),
        (f"0::/machine.slice/libpod-{'3f' * 32}.scope/container\n", Starter("container", "3f" * 32)),
        ("12:pids:/system.slice/cron.service\n1:name=systemd:/system.slice/report.service\n0::/\n",
         Starter("unit", "report.service")),
        ("0::/\n", None),
        ("", None),
        ("nonsense\n:::\n", None),
    ],
)  # fmt: skip
def test_the_unit_or_container_is_read_off_the_control_group(text: str, starter: Starter | None) -> None:
    assert starters.of_groups(text) == starter
