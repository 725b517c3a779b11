"""Looks at a server process: real processes with descriptors and threads, and what is too much to be told."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.guard import server_looks, worker_packets
from agent.guard.openers import ServerLook
from agent.guard.placing import Placement
from agent.guard.server_looks import inspect_server
from agent.guard.worker_packets import Closed, Kind
from tests import needs

pytestmark = needs.root


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "doc"
    path.touch()
    fd = os.open(path, os.O_RDONLY)
    yield fd
    os.close(fd)


def _holding(path: str, count: int) -> "subprocess.Popen[str]":
    program = (
        "import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))\n"
        f"held = [os.open({path!r}, os.O_RDONLY) for _ in range({count})]\nprint('up', flush=True); sys.stdin.read()"
    )
    made = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert made.stdout is not None
    assert made.stdout.readline() == "up\n"
    return made


@pytest.mark.parametrize(("count", "told"), [(0, True), (3, True), (256, True), (257, False)])
def test_the_descriptors_of_a_file_are_found_and_so_many_are_told(file: int, count: int, told: bool) -> None:
    with _holding(os.readlink(f"/proc/self/fd/{file}"), count) as process:
        seen = server_looks.inspect_server(process.pid, file)
        process.communicate("")
    assert seen.complete is told
    assert len(seen.descriptors) == (count if told else 0)


def test_a_process_with_too_many_descriptors_tells_nothing(file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_looks, "MOST_DESCRIPTORS", 2)
    with _holding(os.readlink(f"/proc/self/fd/{file}"), 3) as process:
        assert server_looks.inspect_server(process.pid, file) == ServerLook()
        assert server_looks.closed(process.pid, [(1, 1)]) == ()
        process.communicate("")


def test_a_thread_inside_an_open_is_told_and_one_that_waits_elsewhere_is_not(file: int, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    tids: list[int] = []

    def opening() -> None:
        tids.append(threading.get_native_id())
        os.close(os.open(pipe, os.O_RDONLY))

    waits = threading.Event()
    elsewhere = threading.Thread(target=waits.wait)
    thread = threading.Thread(target=opening)
    elsewhere.start()
    thread.start()
    try:
        # A thread that is about to run counts as inside an open; both wait in the end, each in its own call.
        deadline = time.monotonic() + 10
        while not tids or inspect_server(os.getpid(), file).opening & {tids[0], elsewhere.native_id} != {tids[0]}:
            assert time.monotonic() < deadline
    finally:
        os.close(os.open(pipe, os.O_WRONLY))
        waits.set()
        thread.join()
        elsewhere.join()


def test_what_is_closed_is_told_by_its_place(file: int) -> None:
    found = os.fstat(file)
    with _holding(os.readlink(f"/proc/self/fd/{file}"), 1) as process:
        files = [(1, 1), (found.st_dev, found.st_ino), (2, 2)]
        assert server_looks.closed(process.pid, files) == (0, 2)
        process.communicate("")
    assert server_looks.closed(process.pid, files) == ()  # it is gone: nothing can be told


ANSWERS = {
    "a place": Placement(0, "plans", "图纸", fresh=True, device=7, inode=2**63, changed=-5, newborn=True),
    "an error": Placement(5),
    "a look": ServerLook(frozenset({3, 9}), frozenset({4711}), complete=True),
    "a look that tells nothing": ServerLook(),
    "what is closed": Closed((0, 7, 99_999)),
    "nothing closed": Closed(()),
    "a part of what is closed": Closed((1,), more=True),
}


@pytest.mark.parametrize("found", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_arrives_as_it_was_given(found: worker_packets.Reply) -> None:
    data = worker_packets.answer(17, found)
    assert len(data) <= worker_packets.LONGEST
    assert worker_packets.parse_answer(data) == (17, found)


def test_the_longest_answers_fit_a_packet_or_are_cut() -> None:
    many = ServerLook(frozenset(range(256)), frozenset(range(1000, 2000)), complete=True)
    assert worker_packets.parse_answer(worker_packets.answer(1, many)) == (1, ServerLook())
    data = worker_packets.answer(1, Closed(tuple(range(20_000))))
    assert len(data) <= worker_packets.LONGEST
    assert worker_packets.parse_answer(data) == (1, Closed(tuple(range(worker_packets.MOST_CLOSED)), more=True))


def test_a_question_arrives_as_it_was_asked() -> None:
    assert worker_packets.parse_question(worker_packets.question(18, Kind.SWEEP, 2**32 - 2)) == (
        18,
        Kind.SWEEP,
        2**32 - 2,
    )
    files = ((1, 2), (3, 2**64 - 1))
    assert worker_packets.parse_inodes(worker_packets.inodes(files)) == files
