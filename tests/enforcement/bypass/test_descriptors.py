"""Descriptors that are open already: rows 5, 7 and 8 of the list in ``docs/limits.md``.

A person who has a file open loses it while it is open, whatever it is then done with; whoever is handed the descriptor
is asked for himself. What cannot be taken back, a mapping made before, is shown here too, so that the list stays true.
"""

import mmap
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.demo.actors import ActorIdentity, acting, attempt, reading
from tests.enforcement import syscalls
from tests.enforcement.scene import (
    BYSTANDER,
    CLEARED,
    ROOT,
    TOO_LOW,
    UNKNOWN,
    Area,
    Gate,
    Scene,
    error_of,
    scene,
    writing,
)

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-descriptors")]

Say = Callable[[object], None]
READING = ("read", "pread", "preadv", "sendfile", "splice", "copy_file_range", "mmap")


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    areas = Area("plans"), Area("drafts", level="internal"), Area("ledger", options=("--each-read",))
    with scene(areas, settings=("canary_seconds = 300",)) as made:  # a canary would have the next reads asked about
        made.settled()
        yield made


def uses(fd: int, sink: int) -> dict[str, Callable[[], object]]:
    """Return every way to data, or to its end, through a descriptor that is open already."""
    return {
        "read": lambda: os.read(fd, 16),
        "pread": lambda: os.pread(fd, 16, 0),
        "preadv": lambda: os.preadv(fd, [bytearray(16)], 0),
        "sendfile": lambda: os.sendfile(sink, fd, 0, 16),
        "splice": lambda: splice_out(fd),
        "copy_file_range": lambda: os.copy_file_range(fd, sink, 16, 0, 0),
        "mmap": lambda: mmap.mmap(fd, 0, prot=mmap.PROT_READ).close(),
        "mmap to write": lambda: mmap.mmap(fd, 0).close(),
        "write": lambda: os.pwrite(fd, b"x", 0),
        "copy_file_range in": lambda: os.copy_file_range(sink, fd, 1, 0, 0),
        "ftruncate": lambda: os.ftruncate(fd, os.fstat(fd).st_size),
        "fallocate": lambda: os.posix_fallocate(fd, 0, 16),
    }


def splice_out(fd: int) -> None:
    out, into = os.pipe()
    try:
        os.splice(fd, into, 16, offset_src=0)
    finally:
        os.close(out)
        os.close(into)


def errors(fd: int, sink: int) -> dict[str, str]:
    os.lseek(fd, 0, os.SEEK_SET)
    return {name: error_of(use) for name, use in uses(fd, sink).items()}


def new_sink(site: Scene) -> int:
    """Return a nameless file of the same filesystem, outside of every area, to copy to."""
    sink = os.open(site.public, os.O_RDWR | os.O_TMPFILE, 0o600)
    os.write(sink, b"x" * 16)
    return sink


@pytest.mark.parametrize("quiet", [True, False], ids=["quiet", "asked-each-time"])
def test_row_5_a_change_of_rights_ends_every_use_of_a_descriptor_that_is_open(site: Scene, *, quiet: bool) -> None:
    path, gate = site.plans / "doc.txt", Gate()

    def working(say: Say) -> None:
        fd, sink = os.open(path, os.O_RDWR), new_sink(site)
        while True:
            say(errors(fd, sink))
            gate.wait()

    if quiet:
        site.grown_quiet()
    with acting(CLEARED, working) as worker:
        assert set(worker.next().value.values()) == {""}
        before = site.stats()["accesses"]
        gate.open()
        assert set(worker.next().value.values()) == {""}
        assert not quiet or site.stats()["accesses"] == before  # nobody was asked: the ignore mark is what goes
        with site.below("E1"):
            site.mark()
            gate.open()
            assert set(worker.next().value.values()) == {"EPERM"}
            refusals = [entry for entry in site.denials(CLEARED) if entry["action"] == "access"]
            assert {(entry["rule"], entry["person"], entry["path"]) for entry in refusals} == {
                ("level", "E1", str(path))
            }
            assert attempt(BYSTANDER, reading(path)).allowed
        gate.open()
        assert set(worker.next().value.values()) == {""}


def test_row_7_a_mapping_made_before_the_rights_ended_stays_as_the_limits_say(site: Scene) -> None:
    gate = Gate()

    def working(say: Say) -> None:
        fd = os.open(site.plans / "doc1.txt", os.O_RDONLY)
        mapped = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
        say(len(bytes(mapped)))
        gate.wait()
        say([len(bytes(mapped)), error_of(lambda: mmap.mmap(fd, 0, prot=mmap.PROT_READ))])

    with acting(CLEARED, working) as worker:
        size = worker.next().value
        with site.below("E1"):
            gate.open()
            said = worker.next()
            assert said.value == [size, "EPERM"] or said.error == "ended"  # stopped within a second or so, then ended


def test_row_28_names_are_read_on_through_a_directory_that_was_open_as_the_limits_say(site: Scene) -> None:
    gate = Gate()

    def working(say: Say) -> None:
        fd = os.open(site.plans, os.O_RDONLY | os.O_DIRECTORY)
        while True:
            say("doc.txt" in os.listdir(fd))
            gate.wait()

    with acting(CLEARED, working) as worker:
        assert worker.next().value is True
        with site.below("E1"):
            site.mark()
            gate.open()
            assert worker.next().value is True
            assert site.denials(CLEARED) == []
            assert attempt(CLEARED, lambda: os.listdir(site.plans)).error == "EPERM"


# Row 8: handing descriptors on.


def sending(path: Path, end: socket.socket, gate: Gate | None = None) -> Callable[[Say], None]:
    """Open *path*, wait at the gate, then hand the descriptor over and keep it."""

    def act(say: Say) -> None:
        fd = os.open(path, os.O_RDONLY)
        say("open")
        if gate:
            gate.wait()
        socket.send_fds(end, [b"x"], [fd])
        say(error_of(lambda: os.pread(fd, 16, 0)))
        Gate().wait()

    return act


def receiving(site: Scene, end: socket.socket) -> Callable[[], list[str]]:
    """Take a descriptor that was sent, and return how reading through it went, in all ways."""

    def act() -> list[str]:
        _, [fd], _, _ = socket.recv_fds(end, 1, 1)
        return [error for name, error in errors(fd, new_sink(site)).items() if name in READING]

    return act


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    pair = socket.socketpair()
    yield pair
    for end in pair:
        end.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_row_8_a_descriptor_handed_over_around_a_change_of_rights_is_dead(
    site: Scene, ends: tuple[socket.socket, socket.socket], when: str
) -> None:
    gate = Gate()
    with acting(CLEARED, sending(site.plans / "doc2.txt", ends[0], gate)) as sender:
        assert sender.next().value == "open"
        if when == "before":
            gate.open()
            assert sender.next().value == ""
        with site.below("E1"):
            if when == "after":
                gate.open()
                assert sender.next().value == "EPERM"
            site.mark()
            assert set(attempt(TOO_LOW, receiving(site, ends[1])).value) == {"EPERM"}
            found = site.denials(CLEARED, TOO_LOW)
            assert {(entry["fsuid"], entry["action"]) for entry in found} == {(TOO_LOW.uid, "access")}


@pytest.mark.parametrize(("who", "fate"), [(TOO_LOW, "EPERM"), (UNKNOWN, "EPERM"), (ROOT, "EPERM"), (BYSTANDER, "")])
def test_row_8_where_each_read_is_asked_about_a_receiver_is_asked_for_himself(
    site: Scene, ends: tuple[socket.socket, socket.socket], who: ActorIdentity, fate: str
) -> None:
    path = site.site.root / "ledger" / "doc.txt"
    site.grown_quiet()
    with acting(CLEARED, sending(path, ends[0])) as sender:
        assert [sender.next().value, sender.next().value] == ["open", ""]
        site.mark()
        assert set(attempt(who, receiving(site, ends[1])).value) == {fate}
        found = site.denials(CLEARED, TOO_LOW, UNKNOWN, ROOT, BYSTANDER)
        assert {entry["fsuid"] for entry in found} == ({who.uid} if fate else set())


def test_row_8_a_descriptor_taken_out_of_a_process_is_asked_about(site: Scene) -> None:
    path = site.site.root / "ledger" / "doc.txt"

    def holding(say: Say) -> None:
        say(os.open(path, os.O_RDONLY))
        Gate().wait()

    with acting(CLEARED, holding) as holder:
        number = holder.next().value
        taken = attempt(ROOT, lambda: error_of(lambda: os.read(syscalls.pidfd_getfd(holder.pid, number), 16)))
        assert taken.value == "EPERM"


# Descriptors opened while the file was not where it is now.


@pytest.mark.parametrize("start", ["public", "drafts"])
def test_a_file_moved_into_an_area_is_asked_about_through_descriptors_opened_before(site: Scene, start: str) -> None:
    path, moved, gate = site.site.root / start / f"{start}-early.txt", site.plans / f"{start}-early.txt", Gate()
    assert attempt(TOO_LOW, lambda: writing(path)).allowed

    def early(say: Say) -> None:
        fd = os.open(path, os.O_RDWR)
        while True:
            say(error_of(lambda: os.pread(fd, 16, 0)))
            gate.wait()

    site.grown_quiet()
    with acting(TOO_LOW, early) as reader:
        assert reader.next().value == ""
        os.rename(path, moved)
        assert attempt(CLEARED, reading(moved)).allowed  # from here on it may hold what the area holds
        gate.open()
        assert reader.next().value == "EPERM"
        assert attempt(CLEARED, reading(moved)).allowed
        gate.open()
        assert reader.next().value == "EPERM"
