"""One signal to everything of a uid: who sends it, whom it ends, and who is never swept."""

import os
import signal
import time
from pathlib import Path
from typing import cast

import pytest

from agent.offboard.steps import signals, tasks
from tests import needs
from tests.offboard.host import chain, child, end, reach

pytestmark = needs.root


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
