"""Who holds what, seen from outside: every table of a process, whatever threads do with theirs."""

import contextlib
import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.demo.actors import acting
from agent.kernel.open_files import UNFINISHED, held
from agent.kernel.task_tables import tables
from tests.enforcement import syscalls
from tests.enforcement.scene import Gate
from tests.enforcement.uring import FIXED_FILE, Ring

Say = Callable[[object], None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "held"
    made.write_text("x")
    return made


def reads_on(file: Path, say: Say) -> None:
    """Keep *file* in a ring alone, and read it there without a pause."""
    ring, fd = Ring(), os.open(file, os.O_RDONLY)
    ring.register([fd])
    os.close(fd)
    buffer = ctypes.create_string_buffer(8 << 20)  # so much that nearly all the time goes by in the kernel
    say("")
    while ring.read_into(buffer, 0, FIXED_FILE):
        pass


def hows(pid: int, file: Path) -> set[str]:
    inode = file.stat()
    found = held(frozenset({inode.st_dev}))
    return {one.how for one in found if one.pid == pid and one.inode in (inode.st_ino, 0)}


def test_threads_that_share_count_once_and_those_that_do_not_are_all_named() -> None:
    def work(say: Say) -> None:
        ready = threading.Barrier(4)

        def thread(flags: int) -> None:
            if flags:
                syscalls.unshare(flags)
            ready.wait()
            Gate().wait()

        for flags in (0, syscalls.CLONE_FILES, syscalls.CLONE_FS):
            threading.Thread(target=thread, args=(flags,), daemon=True).start()
        ready.wait()
        say("")
        Gate().wait()

    with acting(None, work) as process:
        assert process.next().value == ""
        found = tables(process.pid)
        assert [len(found.files), len(found.places), len(found.memory)] == [2, 2, 1]
        assert process.pid in found.memory


@pytest.mark.parametrize("place", ["fd", "cwd"])
def test_what_a_thread_holds_for_itself_is_found(file: Path, place: str) -> None:
    target = file if place == "fd" else file.parent

    def work(say: Say) -> None:
        def thread() -> None:
            syscalls.unshare(syscalls.CLONE_FILES | syscalls.CLONE_FS)
            if place == "fd":
                os.open(file, os.O_RDONLY)
            else:
                os.chdir(file.parent)
            say("")
            Gate().wait()

        threading.Thread(target=thread).start()
        syscalls.end_thread()

    with acting(None, work) as process:
        assert process.next().value == ""
        assert place in hows(process.pid, target)


@pytest.mark.parametrize("what", ["a file", "a pipe", "only a mapping"])
def test_a_ring_counts_when_it_keeps_files_or_cannot_be_asked(file: Path, what: str) -> None:
    def work(say: Say) -> None:
        ring = Ring()
        fd = os.open(file, os.O_RDONLY) if what == "a file" else os.pipe()[0]
        ring.register([fd])
        os.close(fd)
        if what == "only a mapping":
            for name in os.listdir("/proc/self/fd"):  # an ``mmap`` keeps a descriptor of its own
                with contextlib.suppress(OSError):
                    if "io_uring" in os.readlink(f"/proc/self/fd/{name}"):
                        os.close(int(name))
        say("")
        Gate().wait()

    with acting(None, work) as process:
        assert process.next().value == ""
        assert ("ring" in hows(process.pid, file)) is (what != "a pipe")


def test_a_ring_at_work_cannot_be_looked_into_and_counts(file: Path) -> None:
    """The kernel shows the table only when it gets the ring's lock, which a request that is being read keeps."""
    os.truncate(file, 8 << 20)
    with acting(None, lambda say: reads_on(file, say)) as process:
        assert process.next().value == ""
        found = [[one for one in held(frozenset({0})) if one.pid == process.pid] for _ in range(20)]
    assert [[one.how for one in each] for each in found] == [["ring"]] * 20
    assert not all(each[0].looked_into for each in found)


def test_of_the_rings_of_one_process_one_counts(file: Path) -> None:
    def work(say: Say) -> None:
        rings, fd = [Ring() for _ in range(8)], os.open(file, os.O_RDONLY)
        for ring in rings:
            ring.register([fd])
        os.close(fd)
        say("")
        Gate().wait()

    with acting(None, work) as process:
        assert process.next().value == ""
        [one] = [one for one in held(frozenset({0})) if one.pid == process.pid]
    assert (one.how, one.looked_into) == ("ring", True)


def test_the_ring_of_the_tests_gives_what_each_request_came_to(file: Path) -> None:
    """The results lie in a ring of their own: whoever takes another place reads those of requests long over."""
    ring, kept = Ring(), os.open(file, os.O_RDONLY)
    ring.register([kept])
    other = os.open(__file__, os.O_RDONLY)
    try:
        for _ in range(20):
            assert ring.read(0, 16, FIXED_FILE) == b"x"
            assert ring.read(other, 16) == Path(__file__).read_bytes()[:16]
            with pytest.raises(OSError, match="Bad file descriptor"):
                ring.read(9, 16, FIXED_FILE)
    finally:
        for fd in (kept, other, ring.fd):
            os.close(fd)


def test_a_look_that_never_comes_to_rest_says_so(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, number = os.listdir, iter(range(10**6, 10**7))

    def listing(path: str) -> list[str]:
        return [*real(path), str(next(number))] if path == "/proc" else real(path)

    monkeypatch.setattr(os, "listdir", listing)
    assert list(held(frozenset({0})))[-1] == UNFINISHED
