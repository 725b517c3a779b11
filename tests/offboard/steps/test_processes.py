"""Ending processes, on real ones: whose they are, how they hide, and who survives it."""

import ctypes
import errno
import os
import platform
import signal
import threading
import time
from pathlib import Path

import pytest

from agent.kernel import task_identity
from agent.offboard.context import Account, RevocationSubject
from agent.offboard.guardrails import Rails
from agent.offboard.steps import processes, signals, tasks
from agent.offboard.steps.ending import ProcessTerminator
from agent.offboard.steps.step import StepState
from tests import needs
from tests.offboard.host import Child, chain, child, context, end, now, reach
from tests.sentences import en

pytestmark = needs.root


def test_every_process_of_the_account_ends_and_a_bystander_does_not(uid: int, other: int) -> None:
    with child(uid) as one, child(uid, other) as two, child(other, other) as bystander:
        ended = end(uid)
        assert ended.sure
        assert {one.pid, two.pid} <= set(ended.killed)
        assert ended.gone_at is not None
        assert not one.alive
        assert not two.alive
        assert bystander.alive
        assert not tasks.scan([uid])


def test_what_was_reached_by_su_and_sudo_ends_by_its_login_uid(uid: int, other: int) -> None:
    with child(0, uid) as root, child(other, uid) as somebody, child(other, other) as bystander:
        ended = end(uid)
        assert set(ended.killed) == {root.pid, somebody.pid}
        assert not root.alive
        assert not somebody.alive
        assert bystander.alive


def test_ignoring_signals_or_being_stopped_helps_nobody(uid: int) -> None:
    def deaf() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
        while True:
            signal.sigwait([signal.SIGTERM])

    with child(uid, act=deaf) as one, child(uid) as stopped:
        os.kill(stopped.pid, signal.SIGSTOP)
        reach(stopped.pid, "T")
        assert end(uid).sure
        assert not one.alive
        assert not stopped.alive


@pytest.mark.parametrize("by_login", [False, True], ids=["account", "login"])
def test_a_chain_that_forks_every_half_millisecond_does_not_survive(uid: int, by_login: bool) -> None:
    with child(0 if by_login else uid, uid, chain):
        ended = end(uid)
        assert ended.sure
        assert ended.killed
        for _ in range(5):
            assert not tasks.scan([uid])


def test_a_zombie_is_over_and_is_not_counted(uid: int) -> None:
    with child(uid, act=lambda: None) as dead:
        reach(dead.pid, "Z")
        assert not tasks.scan([uid])
        ended = end(uid)
        assert ended.sure
        assert not ended.killed


def test_a_process_whose_first_thread_has_ended_is_alive_and_ends(uid: int) -> None:
    def leave_a_thread() -> None:
        threading.Thread(target=signal.pause, daemon=True).start()
        ctypes.CDLL(None).syscall({"x86_64": 60}.get(platform.machine(), 93), 0)  # exit(2): of this thread alone

    with child(uid, act=leave_a_thread) as one:
        reach(one.pid, "Z")
        assert [process.pid for process in tasks.scan([uid])] == [one.pid]
        ended = end(uid)
        assert one.pid in ended.killed
        assert not one.alive


def test_a_protected_process_of_the_same_uid_survives_and_the_others_do_not(uid: int) -> None:
    with child(uid, uid) as agent, child(uid, uid) as one:
        ended = end(uid, Rails(frozenset({os.getpid(), agent.pid})))
        assert ended.sure
        assert ended.unswept == {uid}
        assert not one.alive
        assert agent.alive
        assert ended.spared == {agent.pid}
        assert processes.step_result(ended).state is StepState.DONE  # somebody of theirs is left: that is not confirmed
        reach(agent.pid, "S")  # nor was it stopped


def test_the_caller_survives_its_own_request(uid: int) -> None:
    ended: list[bool] = []

    def ask() -> None:
        told, telling = os.pipe()
        with child(uid):
            Path("/proc/self/loginuid").write_text(str(uid))  # a root shell of the leaver asks
            os.write(telling, b"1" if end(uid).sure else b"0")
        ended.append(os.read(told, 1) == b"1")
        os._exit(0 if ended[0] else 1)

    caller = Child(0, None, ask)
    assert os.waitstatus_to_exitcode(os.waitpid(caller.pid, 0)[1]) == 0


def test_a_registered_service_they_once_started_goes_on_unless_it_holds_classified_data(uid: int) -> None:
    with child(0, uid) as service:
        program = str(Path(f"/proc/{service.pid}/exe").readlink())
        rails = Rails(frozenset({os.getpid()}), frozenset({(0, program)}))
        assert end(uid, rails).sure
        assert service.alive
        assert end(uid, rails, holders=lambda: frozenset({service.pid})).sure
        assert not service.alive


def test_whoever_is_slow_with_what_a_look_finds_can_still_see_everything(uid: int) -> None:
    """Reading what each process holds takes longer than following new ones is allowed to."""
    look = tasks.Look([uid])
    with child(uid) as one:
        for process in look:
            assert process.pid == one.pid
            time.sleep(2 * tasks.CHASE)
    assert look.complete


def test_the_agent_s_family_is_what_it_started_and_not_what_it_did_not(uid: int) -> None:
    told, telling = os.pipe()

    def with_a_child() -> None:
        below = os.fork()
        if below:
            os.write(telling, below.to_bytes(4))
        signal.pause()

    with child(uid, act=with_a_child) as one, child(uid) as two:
        below = int.from_bytes(os.read(told, 4))
        os.close(telling)
        os.close(told)
        assert tasks.family([one.pid]) == {one.pid, below}
        assert {one.pid, two.pid, below} <= tasks.family([os.getpid()])
        os.kill(below, signal.SIGKILL)
    assert tasks.family([0, 1]) == frozenset()


def test_a_number_that_changed_hands_is_not_signalled(uid: int) -> None:
    with child(uid) as one:
        assert signals.open_if(one.pid, lambda _pid: False) is None
        assert one.alive
    assert signals.open_if(one.pid, lambda _pid: True) is None


def test_the_step_confirms_and_names_what_ended(tmp_path: Path, uid: int, other: int) -> None:
    leaver = RevocationSubject("E1001", (Account(uid),))
    here = context(tmp_path)
    with child(uid) as one, child(0, uid) as root, child(uid, other) as visited:
        seen = {en(target.label): target.affected for target in processes.find_targets(leaver, here)}
        assert len(seen) == 3
        others = {line.split()[1]: en(said) for line, said in seen.items() if said}
        assert "runs as uid 0, started from a login of the person" in others[str(root.pid)]
        assert f"uid {other}" in others[str(visited.pid)]
        assert str(one.pid) not in others
        assert one.alive  # a look ends nobody
        result = processes.run(leaver, here, "C1")
        assert result.state is StepState.CONFIRMED
        assert {row[0] for row in result.facts["processes"]} == {one.pid, root.pid, visited.pid}
        again = processes.run(leaver, here, "C1")
        assert (again.state, again.facts["killed"], again.facts["gone_at"]) == (StepState.CONFIRMED, 0, None)


def test_many_people_end_by_the_same_looks_and_each_hears_of_their_own(tmp_path: Path, uid: int, other: int) -> None:
    people = [RevocationSubject(f"E{number}", (Account(number),)) for number in (uid, other, other + 1)]
    here = context(tmp_path)
    with child(uid) as one, child(other) as two, child(uid, other) as both:
        mine, theirs, nobody = processes.together([(person, "C1") for person in people], here)
        assert [result.state for result in (mine, theirs, nobody)] == [StepState.CONFIRMED] * 3
        ended = [{row[0] for row in result.facts["processes"]} for result in (mine, theirs, nobody)]
        assert ended == [{one.pid, both.pid}, {two.pid, both.pid}, set()]
        assert [result.facts["gone_at"] is not None for result in (mine, theirs, nobody)] == [True, True, False]
        assert not any(child.alive for child in (one, two, both))


def test_a_process_whose_file_may_not_be_read_is_named_and_nothing_is_confirmed(
    uid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with child(uid) as one:
        real = task_identity.read

        def read(path: str) -> bytes:
            if path == f"/proc/{one.pid}/status":
                raise PermissionError(errno.EACCES, "denied", path)
            return real(path)

        monkeypatch.setattr(task_identity, "read", read)
        [ended] = ProcessTerminator([[uid + 1000]], lambda: Rails(frozenset({os.getpid()})), now).run(0.5)
        assert not ended.sure
        assert ended.unread == {one.pid}
        assert str(one.pid) in en(processes.step_result(ended).detail)
        assert one.alive
