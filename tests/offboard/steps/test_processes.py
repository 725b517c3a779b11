"""Ending processes, on real ones: whose they are, how they hide, and who survives it."""

import ctypes
import os
import platform
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from agent.kernel import mountinfo
from agent.offboard import proof
from agent.offboard.context import Account, RevocationSubject
from agent.offboard.guardrails import Rails
from agent.offboard.steps import cgroups, holders, processes, signals, tasks
from agent.offboard.steps.ending import ProcessTerminator, TerminationResult
from agent.offboard.steps.step import StepState
from tests import needs
from tests.offboard.host import Child, chain, child, context, now, reach, unused_uid

pytestmark = needs.root


@pytest.fixture
def uid() -> Iterator[int]:
    with unused_uid() as found:
        yield found


@pytest.fixture
def other() -> Iterator[int]:
    with unused_uid() as found:
        yield found


def end(uid: int, rails: Rails | None = None, **more: object) -> TerminationResult:
    return ProcessTerminator([uid], lambda: rails or Rails(frozenset({os.getpid()})), now, **more).run()  # type: ignore[arg-type]


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
        assert processes.result(ended).state is StepState.DONE  # somebody of theirs is left: that is not confirmed
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


def test_a_system_account_is_never_swept(other: int) -> None:
    with child(other):
        for uid in (0, 33, 999, 65534):
            ended = end(uid)
            assert ended.sure
            assert not ended.killed
            assert not ended.groups


def test_no_sweep_as_root_is_ever_sent() -> None:
    harmless = cast("signal.Signals", 0)  # signal 0 is none: even a broken sweep would end nobody
    with pytest.raises(PermissionError):
        signals.sweep(0, harmless)


def test_one_sweep_ends_a_chain_and_everything_else_of_the_uid_and_nothing_more(uid: int, other: int) -> None:
    with child(uid, act=chain), child(uid) as one, child(0, uid) as root, child(other) as bystander:
        signals.sweep(uid, signal.SIGKILL)
        end_of_patience = time.monotonic() + 30  # the signal only asks; the chain alone would go on for a minute
        while any(process.ruid == uid for process in tasks.scan([uid])):
            assert time.monotonic() < end_of_patience
        assert not one.alive
        assert root.alive
        assert bystander.alive


def test_the_sweeping_child_cannot_be_signalled_by_those_it_ends(uid: int, other: int) -> None:
    """A chain that kills everything of its own uid, over and over, does not keep a sweep from ending it."""

    def fight() -> None:
        while True:
            for number in (signal.SIGSTOP, signal.SIGKILL):
                try:
                    os.kill(-1, number)
                except ProcessLookupError:
                    continue

    with child(uid, act=fight) as one, child(uid, act=fight, ready=False), child(other) as bystander:
        for _ in range(20):
            signals.sweep(uid, signal.SIGCONT)
        ended = end(uid)
        assert ended.sure
        assert not ended.unswept
        assert not one.alive
        assert bystander.alive


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


# --- control groups -------------------------------------------------------------------------------


@pytest.fixture
def group() -> Iterator[Path]:
    root = cgroups.root()
    if root is None or not (root / "cgroup.procs").exists():
        needs.skip_or_fail("no cgroup v2 tree is mounted")
    made = root / f"shoumi-test-{os.getpid()}"
    try:
        (made / "inner").mkdir(parents=True)
    except OSError:
        needs.skip_or_fail("control groups cannot be made here")
    yield made
    for path in (made / "inner", made):
        path.rmdir()


def assert_not_frozen(uid: int, group: Path) -> None:
    """Whoever comes to the group goes on. The kernel's own word, cgroup.events, can stay behind for an empty one."""
    here, there = socket.socketpair()
    here.settimeout(10)
    with here, there, child(uid, act=lambda: there.send(there.recv(1))) as comer:
        (group / "cgroup.procs").write_text(str(comer.pid))
        here.send(b"!")
        assert here.recv(1) == b"!"


def test_a_group_that_is_wholly_theirs_ends_as_one(uid: int, group: Path) -> None:
    with child(uid, uid) as one, child(0, uid, chain) as two:
        (group / "cgroup.procs").write_text(str(one.pid))
        (group / "inner" / "cgroup.procs").write_text(str(one.pid))
        with child(0, uid) as three:
            (group / "cgroup.procs").write_text(str(three.pid))
            ended = end(uid)
            assert ended.sure
            assert ended.groups >= 1
            assert not one.alive
            assert not three.alive
        two.end()
    assert_not_frozen(uid, group)


def test_a_group_with_a_bystander_is_neither_killed_nor_left_frozen(uid: int, other: int, group: Path) -> None:
    with child(uid, uid) as one, child(other, other) as bystander:
        for process in (one, bystander):
            (group / "cgroup.procs").write_text(str(process.pid))
        ended = end(uid)
        assert ended.sure
        assert ended.groups == 0
        assert not one.alive
        assert bystander.alive
        assert_not_frozen(other, group)


def test_a_stranger_who_came_while_it_was_frozen_is_not_killed(uid: int, other: int, group: Path) -> None:
    with child(uid, uid) as one, child(other, other) as late:
        (group / "cgroup.procs").write_text(str(one.pid))
        tree = cgroups.root()
        assert tree
        looks = 0

        def theirs(pid: int) -> bool:
            nonlocal looks
            looks += 1
            if looks == 1:  # between the first look and the freeze
                (group / "cgroup.procs").write_text(str(late.pid))
            return pid == one.pid

        assert not cgroups.Group(tree, group).end(theirs)
        assert late.alive
        assert one.alive
        assert_not_frozen(other, group)


HYBRID = rb"""25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 25 0:26 / /sys/fs/cgroup/systemd rw,nosuid - cgroup cgroup rw,xattr,name=systemd
31 25 0:27 / /sys/fs/cgroup/all\040of\040it rw,nosuid - cgroup2 cgroup2 rw
"""


@pytest.mark.parametrize(
    ("rows", "found"), [(HYBRID, Path("/sys/fs/cgroup/all of it")), (HYBRID.splitlines()[0], None)]
)
def test_the_tree_is_found_where_the_host_has_it(
    rows: bytes, found: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mountinfo, "table", lambda: mountinfo.parse(rows))
    assert cgroups.root() == found


def test_the_root_group_is_never_killed() -> None:
    tree = cgroups.root()
    if tree is None:
        needs.skip_or_fail("no cgroup v2 tree is mounted")
    assert not cgroups.Group(tree, tree).wholly(lambda _pid: True)


# --- the steps ------------------------------------------------------------------------------------


def test_the_step_confirms_and_names_what_ended(tmp_path: Path, uid: int, other: int) -> None:
    leaver = RevocationSubject("E1001", (Account(uid),))
    here = context(tmp_path)
    with child(uid) as one, child(0, uid) as root, child(uid, other) as visited:
        seen = {target.what.en: target.other for target in processes.look(leaver, here)}
        assert len(seen) == 3
        others = {line.split()[1]: said.en for line, said in seen.items() if said}
        assert "reached from their login" in others[str(root.pid)]
        assert f"uid {other}" in others[str(visited.pid)]
        assert str(one.pid) not in others
        assert one.alive  # a look ends nobody
        result = processes.run(leaver, here, "C1")
        assert result.state is StepState.CONFIRMED
        assert {row[0] for row in result.facts["processes"]} == {one.pid, root.pid, visited.pid}
        again = processes.run(leaver, here, "C1")
        assert (again.state, again.facts["killed"], again.facts["gone_at"]) == (StepState.CONFIRMED, 0, None)


def test_a_hold_ends_only_what_holds_classified_files(tmp_path: Path, uid: int, other: int) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o644)
    tmp_path.chmod(0o755)
    fd = os.open(secret, os.O_RDONLY)
    leaver = RevocationSubject("E1001", (Account(uid),))

    def held(_devices: object) -> list[Holder]:
        return [Holder(int(name)) for name in os.listdir("/proc") if name.isdigit() and holds(int(name))]

    def holds(pid: int) -> bool:
        try:
            return any(os.readlink(f"/proc/{pid}/fd/{n}") == str(secret) for n in os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            return False

    def let_go() -> None:
        os.close(fd)
        os.write(telling, b"!")
        signal.pause()

    told, telling = os.pipe()
    here = context(tmp_path, held=held, devices=lambda: frozenset({1}))
    with child(uid) as holder, child(0, uid) as root_holder, child(uid, act=let_go) as free, child(other) as bystander:
        assert os.read(told, 1) == b"!"
        assert len(holders.look(leaver, here)) == 2
        assert holders.run(leaver, here, "C1").state is StepState.CONFIRMED
        assert not holder.alive
        assert not root_holder.alive
        assert free.alive
        assert bystander.alive  # it holds the same file, on its own rights
    for open_one in (fd, told, telling):
        os.close(open_one)


class Holder:
    def __init__(self, pid: int, link: str = "") -> None:
        self.pid = pid
        self.how = "fd"
        self.link = link


def test_where_one_grant_ended_only_what_holds_that_area_is_ended_and_what_cannot_be_told_is(
    tmp_path: Path, uid: int
) -> None:
    leaver = RevocationSubject("E1001", (Account(uid),), areas=frozenset({"plans"}))
    with child(uid) as plans, child(uid) as ledger, child(uid) as nowhere, child(uid) as untold:
        holding = {plans.pid: "plans", ledger.pid: "ledger", nowhere.pid: None, untold.pid: ""}
        here = context(
            tmp_path,
            held=lambda _devices: [Holder(pid) for pid in holding],
            area_of=lambda found: holding[found.pid],
            devices=lambda: frozenset({1}),
        )
        assert len(holders.look(leaver, here)) == 2
        assert proof.staying(leaver, here).holds is False
        assert holders.run(leaver, here, "C1").state is StepState.CONFIRMED
        assert [one.alive for one in (plans, ledger, nowhere, untold)] == [False, True, True, False]
        shown = proof.staying(leaver, here)
        assert (shown.holds, [scan.left for scan in shown.scans]) == (True, [2, 2])
        everything = replace(leaver, areas=frozenset())
        assert len(holders.look(everything, here)) == 1


def test_a_descriptor_handed_over_inside_the_person_s_processes_goes_with_them(uid: int, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    one, two = socket.socketpair()

    def take() -> None:
        _, fds, _, _ = socket.recv_fds(two, 1, 1)
        signal.pause()
        os.close(fds[0])

    fd = os.open(secret, os.O_RDONLY)
    with one, two, child(uid, act=take) as receiver:
        socket.send_fds(one, [b"!"], [fd])
        assert end(uid).sure
        assert not receiver.alive
    os.close(fd)


def test_without_a_protected_volume_there_is_nothing_to_hold(tmp_path: Path) -> None:
    assert holders.probe(RevocationSubject("E1001"), context(tmp_path)) is not None


def test_whoever_sweeps_is_root_afterwards_as_before(uid: int) -> None:
    before = Path("/proc/self/status").read_text()
    with child(uid) as one:
        signals.sweep(uid, signal.SIGSTOP)
        reach(one.pid, "T")
    after = Path("/proc/self/status").read_text()
    for name in ("Uid", "Gid", "CapEff", "CapPrm"):
        [line] = [line for line in before.splitlines() if line.startswith(f"{name}:")]
        assert line in after
    assert os.getresuid() == (0, 0, 0)


def test_where_no_thread_can_be_out_of_their_reach_a_child_sweeps(
    uid: int, other: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (None, 999_999):  # not known for this machine; refused by this kernel
        monkeypatch.setattr(signals, "_SETRESUID", number)
        with child(uid) as one, child(other) as bystander:
            signals.sweep(uid, signal.SIGKILL)
            end_of_patience = time.monotonic() + 30
            while one.alive:
                assert time.monotonic() < end_of_patience
            assert bystander.alive
