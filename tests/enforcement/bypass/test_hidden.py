"""Holding a file where nobody looks: in a thread's own table, behind a first thread that is gone, in a ring.

Each worker opens a document while it may, loses the right, and tries again once reads have grown quiet and somebody
else's read has silenced the inode: what the look at who holds what does not see would then be read unasked.
"""

import contextlib
import errno
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.demo.actors import acting, attempt, reading
from tests import needs
from tests.enforcement import syscalls
from tests.enforcement.scene import BYSTANDER, CLEARED, TOO_LOW, Area, Gate, Scene, error_of, scene, until
from tests.enforcement.uring import ASYNC, FIXED_FILE, SQPOLL, Ring
from tests.sentences import en

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-hidden")]

Say = Callable[[object], None]
Hold = Callable[[Path, Say, Gate], None]


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene((Area("plans"), Area("ledger", options=("--each-read",)))) as made:
        yield made


def reading_on(read: Callable[[], object], say: Say, gate: Gate) -> None:
    while True:
        say(error_of(read))
        gate.wait()


def in_a_table_of_its_own(path: Path, say: Say, gate: Gate) -> None:
    def thread() -> None:
        syscalls.unshare(syscalls.CLONE_FILES)
        fd = os.open(path, os.O_RDONLY)
        reading_on(lambda: os.pread(fd, 16, 0), say, gate)

    work = threading.Thread(target=thread)
    work.start()
    work.join()


def behind_a_first_thread_that_is_gone(path: Path, say: Say, gate: Gate) -> None:
    fd = os.open(path, os.O_RDONLY)
    threading.Thread(target=reading_on, args=(lambda: os.pread(fd, 16, 0), say, gate)).start()
    syscalls.end_thread()


def in_a_ring(path: Path, say: Say, gate: Gate) -> None:
    ring, fd = Ring(), os.open(path, os.O_RDONLY)
    ring.register([fd])
    os.close(fd)
    reading_on(lambda: ring.read(0, 16, FIXED_FILE), say, gate)


def in_a_directory_of_a_thread(path: Path, say: Say, gate: Gate) -> None:
    """A working directory is no descriptor that can be read; what lies in it is opened, and asked about."""

    def thread() -> None:
        syscalls.unshare(syscalls.CLONE_FS)
        os.chdir(path.parent)
        reading_on(lambda: os.close(os.open(path.name, os.O_RDONLY)), say, gate)

    work = threading.Thread(target=thread)
    work.start()
    work.join()


@pytest.mark.parametrize(
    "hold",
    [in_a_table_of_its_own, behind_a_first_thread_that_is_gone, in_a_directory_of_a_thread],
    ids=lambda hold: hold.__name__.replace("_", " "),
)
def test_what_is_held_out_of_sight_is_refused_after_rights_have_ended(site: Scene, hold: Hold) -> None:
    path, gate = site.plans / "doc.txt", Gate()
    site.grown_quiet()
    with acting(CLEARED, lambda say: hold(path, say, gate)) as holder:
        assert holder.next().value == ""
        with site.below("E1"):
            gate.open()
            assert holder.next().value == "EPERM"
            site.grown_quiet()
            for _ in range(2):
                assert attempt(BYSTANDER, reading(path)).allowed
            gate.open()
            assert holder.next().value == "EPERM"
        gate.open()
        assert holder.next().value == ""


def test_while_somebody_without_rights_keeps_files_in_a_ring_every_read_is_asked_about(site: Scene) -> None:
    path, gate = site.plans / "doc.txt", Gate()
    site.grown_quiet()
    with acting(CLEARED, lambda say: in_a_ring(path, say, gate)) as holder:
        assert holder.next().value == ""
        site.grown_quiet()  # who may read everything may keep it where he likes
        with site.below("E1"):
            until(lambda: any(f"process {holder.pid} holds files in an io_uring" in said for said in warnings(site)))
            for _ in range(2):
                assert attempt(BYSTANDER, reading(path)).allowed
            gate.open()
            assert holder.next().value == "EPERM"
            assert not site.stats()["quiet"]
    site.grown_quiet()
    assert not [said for said in warnings(site) if f"process {holder.pid} holds files in an io_uring" in said]


def test_a_ring_that_never_stops_reading_is_refused_from_the_moment_rights_end(site: Scene) -> None:
    """The kernel shows nothing of the table of a ring at work: that it keeps nothing is not what that means."""
    path = site.plans / "doc.txt"

    def reading_without_a_pause(say: Say) -> None:
        ring, fd = Ring(), os.open(path, os.O_RDONLY)
        ring.register([fd])
        os.close(fd)
        said = None
        while True:
            came = error_of(lambda: ring.read(0, 65536, FIXED_FILE)) or "read"
            if came != said:
                said = came
                say(came)

    site.grown_quiet()
    with acting(CLEARED, reading_without_a_pause) as holder:
        assert holder.next().value == "read"
        with site.below("E1"):
            assert holder.next().value == "EPERM"
            until(lambda: any(f"process {holder.pid} " in said for said in warnings(site)))
            for _ in range(8):
                assert attempt(BYSTANDER, reading(path)).allowed
                assert not site.stats()["quiet"]
            assert holder.heard() == []
    site.grown_quiet()


@pytest.mark.parametrize(("area", "read"), [("plans", ""), ("ledger", "EPERM")])
def test_a_file_in_a_ring_that_nothing_shows_is_read_on_where_reads_are_quiet_as_the_limits_say(
    site: Scene, area: str, read: str
) -> None:
    path, gate = site.site.root / area / "doc.txt", Gate()

    def hidden(say: Say) -> None:
        try:
            ring = Ring(hidden=True)
        except OSError as error:
            say(error.strerror)
            return
        fd = os.open(path, os.O_RDONLY)
        ring.register([fd])
        os.close(fd)
        reading_on(lambda: ring.read(0, 16, FIXED_FILE), say, gate)

    site.grown_quiet()
    with acting(CLEARED, hidden) as holder:
        begun = holder.next().value
        if begun == os.strerror(errno.EINVAL):
            needs.skip_or_fail("this kernel has no such rings")
        assert begun == ""
        with site.below("E1"):
            gate.open()
            assert holder.next().value == "EPERM"
            site.grown_quiet()
            for _ in range(2):
                assert attempt(BYSTANDER, reading(path)).allowed
            gate.open()
            assert holder.next().value == read


def test_while_a_descriptor_is_in_flight_every_read_is_asked_about(site: Scene) -> None:
    path, gate = site.plans / "doc.txt", Gate()
    one, other = socket.socketpair()
    with one, other, contextlib.ExitStack() as stack:

        def sender(say: Say) -> None:
            socket.send_fds(one, [b"x"], [os.open(path, os.O_RDONLY)])
            say("")

        def receiver(say: Say) -> None:
            one.close()
            gate.wait()
            _, [fd], _, _ = socket.recv_fds(other, 1, 1)
            say(error_of(lambda: os.pread(fd, 16, 0)))
            Gate().wait()

        late = stack.enter_context(acting(TOO_LOW, receiver))
        assert attempt(CLEARED, lambda: sender(lambda _: None)).allowed
        with site.below("E1"):
            until(lambda: any(f"process {late.pid} are still in a socket" in said for said in warnings(site)))
            for _ in range(2):
                assert attempt(BYSTANDER, reading(path)).allowed
            gate.open()
            assert late.next().value == "EPERM"
            site.grown_quiet()  # who holds it now is known, and what he holds stays loud


def test_what_is_handed_from_child_to_child_is_followed(site: Scene) -> None:
    """Each process forks and ends: a list of processes is out of date before it has been gone through."""
    path, gate = site.plans / "doc.txt", Gate()

    def chain(say: Say) -> None:
        fd, end = os.open(path, os.O_RDONLY), time.monotonic() + 30
        say("")
        while time.monotonic() < end:
            if gate.passed():
                try:
                    say(error_of(lambda: os.pread(fd, 16, 0)))
                except BrokenPipeError:
                    os._exit(0)
            if os.fork():
                os._exit(0)

    def looked() -> bool:
        return site.stats()["quiet"] or any("start and end too fast" in said for said in warnings(site))

    site.grown_quiet()
    with acting(CLEARED, chain) as holder:
        assert holder.next().value == ""
        with site.below("E1"):
            gate.open()
            assert holder.next().value == "EPERM"
            until(looked)
            for _ in range(2):
                assert attempt(BYSTANDER, reading(path)).allowed
            gate.open()
            assert holder.next().value == "EPERM"
    gate.open()  # nobody listens any more: the chain ends


def test_a_ring_without_files_is_nobody_s_concern(site: Scene) -> None:
    def idle(say: Say) -> None:
        ring, (out, _) = Ring(), os.pipe()
        ring.register([out])
        say("")
        Gate().wait()

    with acting(TOO_LOW, idle) as process:
        assert process.next().value == ""
        with site.below("E1"):
            pass
        site.grown_quiet()


def warnings(site: Scene) -> list[str]:
    with site.asking() as agent:
        return [en(found["text"]) for found in agent.call("doctor")]


@pytest.mark.parametrize(
    ("flags", "setup"), [(0, 0), (ASYNC, 0), (0, SQPOLL)], ids=["caller", "worker", "kernel thread"]
)
def test_an_open_through_a_ring_is_asked_about_whoever_does_it(site: Scene, flags: int, setup: int) -> None:
    path = site.plans / "doc.txt"

    def through() -> int:
        ring = Ring(setup)
        return len(ring.read(ring.open(path, flags), 16, flags))

    assert attempt(CLEARED, through).value == 16
    site.mark()
    assert attempt(TOO_LOW, through).error == "EPERM"
    (denial,) = site.denials(TOO_LOW)
    assert (denial["rule"], denial["person"], denial["path"]) == ("level", "E2", str(path))
