"""Whoever holds classified files is ended, by their own descriptors or by ones handed over."""

import os
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path

from agent.kernel.open_files import HeldFile
from agent.offboard import proof
from agent.offboard.context import Account, RevocationSubject
from agent.offboard.steps import holders, tasks
from agent.offboard.steps.step import StepState
from tests import needs
from tests.offboard.host import chain, child, context, end, reach
from tests.sentences import en

pytestmark = needs.root


def test_a_hold_ends_only_what_holds_classified_files(tmp_path: Path, uid: int, other: int) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o644)
    tmp_path.chmod(0o755)
    fd = os.open(secret, os.O_RDONLY)
    leaver = RevocationSubject("E1001", (Account(uid),))

    def held(_devices: object, **_of: object) -> list[HeldFile]:
        return [descriptor(int(name)) for name in os.listdir("/proc") if name.isdigit() and holds(int(name))]

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
        assert len(holders.find_targets(leaver, here)) == 2
        assert holders.run(leaver, here, "C1").state is StepState.CONFIRMED
        assert not holder.alive
        assert not root_holder.alive
        assert free.alive
        assert bystander.alive  # it holds the same file, on its own rights
    for open_one in (fd, told, telling):
        os.close(open_one)


def descriptor(pid: int, link: str = "") -> HeldFile:
    return HeldFile(pid, 1, 1, "fd", link)


def test_where_one_grant_ended_only_what_holds_that_area_is_ended_and_what_cannot_be_told_is(
    tmp_path: Path, uid: int
) -> None:
    leaver = RevocationSubject("E1001", (Account(uid),), areas=frozenset({"plans"}))
    with child(uid) as plans, child(uid) as ledger, child(uid) as nowhere, child(uid) as untold:
        holding = {plans.pid: "plans", ledger.pid: "ledger", nowhere.pid: None, untold.pid: ""}
        here = context(
            tmp_path,
            held=lambda _devices, **_of: [descriptor(pid) for pid in holding],
            area_of=lambda found: holding[found.pid],
            devices=lambda: frozenset({1}),
        )
        assert len(holders.find_targets(leaver, here)) == 2
        assert proof.staying(leaver, here).holds is False
        assert holders.run(leaver, here, "C1").state is StepState.CONFIRMED
        assert [one.alive for one in (plans, ledger, nowhere, untold)] == [False, True, True, False]
        shown = proof.staying(leaver, here)
        assert (shown.holds, [scan.spared for scan in shown.scans]) == (True, [2, 2])
        everything = replace(leaver, areas=frozenset())
        assert len(holders.find_targets(everything, here)) == 1


def test_what_was_given_again_is_not_ended_and_what_was_stopped_before_is(tmp_path: Path, uid: int) -> None:
    """Whether they lose it still is asked after the look: whoever opened it by a new grant opened it before."""
    leaver = RevocationSubject("E1001", (Account(uid),), areas=frozenset({"plans", "ledger"}))
    asked: list[tuple[int, str]] = []

    def may(who: int, area: str) -> bool:
        asked.append((who, area))
        return area == "plans"

    with child(uid) as regained, child(uid) as stopped, child(uid) as lost:
        holding = {regained.pid: "plans", stopped.pid: "plans", lost.pid: "ledger"}
        here = context(
            tmp_path,
            held=lambda _devices, **_of: [descriptor(pid) for pid in holding],
            area_of=lambda found: holding[found.pid],
            devices=lambda: frozenset({1}),
            may=may,
        )
        os.kill(stopped.pid, signal.SIGSTOP)
        reach(stopped.pid, "T")
        assert len(holders.find_targets(leaver, here)) == 3  # a plan is made before anything is taken
        assert not asked
        assert holders.run(leaver, here, "C1").state is StepState.CONFIRMED
        assert [one.alive for one in (regained, stopped, lost)] == [True, False, False]
        assert set(asked) == {(uid, "plans"), (uid, "ledger")}


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


def test_what_outlasts_the_patience_of_a_cut_is_left_and_named_and_ends_with_the_next_try(
    tmp_path: Path, uid: int
) -> None:
    leaver = RevocationSubject("E1001", (Account(uid),))
    here = context(tmp_path, devices=lambda: frozenset({1}))
    with child(uid) as holder:
        hasty = replace(here, patience=0.0, held=lambda *_of, **_more: [descriptor(holder.pid)])
        left = holders.run(leaver, hasty, "C1")
        assert left.state is StepState.PENDING
        assert str(holder.pid) in en(left.detail)
        assert holder.alive
        patient = replace(hasty, patience=5.0)
        assert holders.run(leaver, patient, "C1").state is StepState.CONFIRMED
        assert not holder.alive


def test_a_chain_that_hands_on_what_it_holds_does_not_outrun_a_hold(tmp_path: Path, uid: int, other: int) -> None:
    leaver = RevocationSubject("E1001", (Account(uid),))

    def held(_devices: object, pids: frozenset[int] = frozenset(), **_of: object) -> list[HeldFile]:
        time.sleep(0.02)  # a look at many mappings takes longer than a link of the chain lives
        alive = (tasks.read(pid) for pid in pids)
        return [descriptor(process.pid) for process in alive if process and process.ruid == uid]

    here = context(tmp_path, held=held, devices=lambda: frozenset({1}))
    with child(uid, act=chain), child(uid, act=chain), child(other) as bystander:
        ended = holders.run(leaver, here, "C1")
        assert ended.state is StepState.CONFIRMED, en(ended.detail)
        assert not tasks.scan([uid])
        assert bystander.alive
    assert ended.facts["gone_at"]
