"""An answer path that cannot block (C13): a frozen volume, a stopped worker, an output nobody reads.

Openers wait or are denied, everybody else goes on, and nothing needs a reboot. A freeze ends by itself: a child thaws
the volume when its test has ended or died.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.demo.actors import acting, attempt, reading
from agent.guard.parked import DEADLINE
from tests.enforcement.killing import label_worker
from tests.enforcement.scene import CLEARED, SIZE, TOO_LOW, Scene, alive, error_of, scene, until, writing
from tests.stopped import stopped

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-blocked")]

FIFREEZE, FITHAW = 0xC0045877, 0xC0045878
LATE = DEADLINE / 1e9 + 3.0


@pytest.fixture(scope="module", params=["ext4", "xfs"])
def site(able: None, request: pytest.FixtureRequest) -> Iterator[Scene]:
    size = {"ext4": 64, "xfs": 320}[request.param]
    with scene(settings=("heartbeat_seconds = 4.0",), volume=request.param, size=size << 20) as made:
        until(lambda: made.shown()["sealed"])  # no walk labels a file before its first open
        yield made


@contextmanager
def frozen(site: Scene) -> Iterator[Callable[[], None]]:
    """Freeze the volume; yields what thaws it, which happens at the end of the block in any case."""
    root = os.open(site.site.root, os.O_RDONLY)

    def thaw() -> None:
        with contextlib.suppress(OSError):
            fcntl.ioctl(root, FITHAW, 0)

    dead_man = threading.Timer(40, thaw)
    dead_man.start()
    fcntl.ioctl(root, FIFREEZE, 0)
    try:
        yield thaw
    finally:
        dead_man.cancel()
        thaw()
        os.close(root)


def unlabelled(site: Scene, name: str) -> Path:
    """Make a file nobody has opened yet."""
    os.mknod(site.plans / name, 0o666)
    (site.plans / name).chmod(0o666)
    return site.plans / name


def test_on_a_frozen_volume_the_unknown_is_denied_the_known_is_read_and_a_thaw_works_at_once(site: Scene) -> None:
    fresh = unlabelled(site, "frozen.txt")
    assert attempt(CLEARED, reading(site.plans / "doc.txt")).value == SIZE
    decider = site.site.process("decider")
    site.mark()
    with frozen(site):
        started = time.monotonic()
        assert attempt(CLEARED, reading(fresh)).error == "EPERM"
        assert time.monotonic() - started < LATE
        [entry] = site.denials(CLEARED)
        assert (entry["rule"], entry["area"], entry["fsuid"]) == ("deadline", "plans", CLEARED.uid)
        assert attempt(CLEARED, reading(site.plans / "doc.txt")).value == SIZE
        assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).error == "EPERM"
        thaw = subprocess.Popen(["fsfreeze", "-u", str(site.site.root)], stdin=subprocess.DEVNULL)
        assert thaw.wait(30) == 0
        until(lambda: attempt(CLEARED, reading(fresh)).allowed)
    assert site.site.process("decider") == decider
    assert attempt(TOO_LOW, reading(fresh)).error == "EPERM"


def test_while_many_create_and_the_volume_is_frozen_nobody_gets_in_and_afterwards_everybody_goes_on(
    site: Scene,
) -> None:
    def creating(number: int) -> Callable[[Callable[[object], None]], None]:
        def act(say: Callable[[object], None]) -> None:
            for turn in range(10_000):
                say(error_of(lambda turn=turn: writing(site.plans / f"new-{number}-{turn}", b"x")))

        return act

    with contextlib.ExitStack() as stack:
        people = [stack.enter_context(acting(CLEARED, creating(number))) for number in range(8)]
        assert all(person.next().value == "" for person in people)
        with frozen(site):
            time.sleep(LATE)  # the span itself: longer than any deadline
            assert attempt(CLEARED, reading(site.plans / "doc.txt")).value == SIZE
        for person in people:
            person.heard()
            until(lambda person=person: person.next().value == "")


def test_a_stopped_label_worker_denies_the_unknown_and_is_replaced(site: Scene) -> None:
    first, second = unlabelled(site, "stopped-1.txt"), unlabelled(site, "stopped-2.txt")
    assert attempt(CLEARED, reading(site.plans / "doc.txt")).value == SIZE
    pid = label_worker(site)
    with stopped(pid):
        assert attempt(CLEARED, reading(first)).error == "EPERM"
        assert attempt(CLEARED, reading(site.plans / "doc.txt")).value == SIZE
        until(lambda: not alive(pid))
        until(lambda: attempt(CLEARED, reading(second)).allowed)


def test_a_killed_label_worker_takes_its_decider_along_and_both_come_back(site: Scene) -> None:
    decider = site.site.process("decider")
    os.kill(label_worker(site), signal.SIGKILL)
    until(lambda: attempt(CLEARED, reading(unlabelled(site, f"killed-{time.monotonic_ns()}"))).allowed)
    assert site.site.process("decider") != decider
