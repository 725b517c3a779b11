"""Processes that the kernel does not let end: they are named, nobody else waits long for them, and the proof does.

Rules of this file: a write to a filesystem that is frozen cannot be interrupted, not even to end. Each is one of our
own, on a loop device, and is let go whatever happens.
"""

import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.offboard.context import Account, RevocationSubject
from agent.offboard.steps import holders, processes
from agent.offboard.steps.step import StepState
from agent.simulator import volume_image
from tests import needs
from tests.offboard.host import Child, child, context, end, reach
from tests.sentences import en, zh

pytestmark = [needs.root, needs.small_disk]

_FREEZE, _THAW = 0xC0045877, 0xC0045878  # FIFREEZE and FITHAW in linux/fs.h
_CUT = 1.0  # seconds a cut waits
_SOON = 4.0  # what it may take on a busy machine, and shorter than without the rule


class Ice:
    """A frozen filesystem with a file that anybody may write to."""

    def __init__(self, point: Path) -> None:
        self.place = point / "a"
        self.place.touch()
        self.place.chmod(0o666)
        self._top = os.open(point, os.O_RDONLY | os.O_CLOEXEC)
        self._thawing = threading.Lock()
        self._frozen = False

    def freeze(self) -> None:
        fcntl.ioctl(self._top, _FREEZE, 0)
        self._frozen = True

    def thaw(self) -> None:
        with self._thawing:
            if self._frozen:
                self._frozen = False
                fcntl.ioctl(self._top, _THAW, 0)

    def close(self) -> None:
        self.thaw()
        os.close(self._top)

    def write(self) -> None:
        """Write, which ends when it thaws."""
        with self.place.open("r+b", buffering=0) as file:
            file.write(b"x")

    def write_in_a_thread(self) -> None:
        """Have another thread than the first one do that."""
        threading.Thread(target=self.write).start()
        signal.pause()


@pytest.fixture
def ice() -> Iterator[Ice]:
    with volume_image.volume(size=8 << 20) as volume:
        volume.point.chmod(0o755)
        volume.folder.chmod(0o755)
        made = Ice(volume.point)
        try:
            yield made
        finally:
            made.close()


@contextmanager
def stuck(ice: Ice, uid: int, act: Callable[[], object], thread: str = "") -> Iterator[Child]:
    """A process of *uid* that waits, by its first thread or by another one, until the ice is gone."""
    ice.freeze()
    with child(uid, act=act) as one:
        try:
            if thread:
                _second_waits(one.pid)
            else:
                reach(one.pid, "D")
            yield one
        finally:
            ice.thaw()


def _second_waits(pid: int) -> None:
    end = time.monotonic() + 30
    while not any("\nState:\tD" in status.read_text() for status in Path(f"/proc/{pid}/task").glob("*/status")):
        assert time.monotonic() < end
        os.sched_yield()


@pytest.mark.parametrize("thread", ["", "second"], ids=["leader", "thread"])
def test_it_is_named_soon_and_ends_when_the_kernel_lets_it(tmp_path: Path, uid: int, ice: Ice, thread: str) -> None:
    leaver, cut = RevocationSubject("E1001", (Account(uid),)), context(tmp_path, patience=_CUT)
    with stuck(ice, uid, ice.write_in_a_thread if thread else ice.write, thread) as one:
        begun = time.monotonic()
        result = processes.run(leaver, cut, "C1")
        assert time.monotonic() - begun < _SOON
        assert result.state is StepState.PENDING
        assert (result.facts["left"], result.facts["left_states"]) == ([one.pid], "Z" if thread else "D")
        assert en(result.detail) == (
            f"0 processes ended; still running: {one.pid} (uninterruptible: killed, waiting in the kernel)"
        )
        assert zh(result.detail) == f"已终止 0 个进程；仍在运行：{one.pid}（不可中断：已终止，仍在内核中等待）"
        ice.thaw()
        assert processes.run(leaver, cut, "C1").state is StepState.CONFIRMED
        assert not one.alive


def test_whoever_is_cut_beside_it_is_ended_and_confirmed_and_waits_no_longer_than_the_cut_does(
    tmp_path: Path, uid: int, other: int, ice: Ice
) -> None:
    people = [RevocationSubject(f"E{number}", (Account(number),)) for number in (uid, other)]
    device = ice.place.stat().st_dev
    here = context(tmp_path, devices=lambda: frozenset({device}), patience=_CUT)
    told, telling = os.pipe()

    def reading() -> None:
        with ice.place.open("rb"):
            os.write(telling, b"!")
            signal.pause()

    with child(other, act=reading) as neighbour:
        assert os.read(told, 1) == b"!"
        with stuck(ice, uid, ice.write) as one:
            begun = time.monotonic()
            mine, theirs = holders.together([(person, "C1") for person in people], here)
            assert time.monotonic() - begun < _SOON
            assert (mine.state, theirs.state) == (StepState.PENDING, StepState.CONFIRMED)
            assert f"{one.pid} (uninterruptible" in en(mine.detail)
            assert en(theirs.detail).startswith("1 process ended; two scans found no remaining process")
            assert not neighbour.alive
            ice.thaw()
            [mine] = holders.together([(people[0], "C1")], here)
            assert mine.state is StepState.CONFIRMED
            assert not one.alive
    os.close(told)
    os.close(telling)


def test_whoever_may_take_longer_sees_it_end_when_the_kernel_lets_it_meanwhile(uid: int, ice: Ice) -> None:
    with stuck(ice, uid, ice.write) as one:
        thawing = threading.Timer(2 * _CUT, ice.thaw)
        thawing.start()
        assert end(uid).sure
        assert not one.alive
        thawing.join()
