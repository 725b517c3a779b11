"""Where ignore marks keep their inodes in memory: no more than so many, and the oldest goes first."""

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.demo.shared import wait_until
from agent.guard.ignore_marks import IgnoreMarks
from agent.guard.objects import Object
from agent.guard.pinned_marks import PinnedMarks
from agent.guard.verdicts import NEVER
from agent.kernel import fanotify
from agent.kernel.file_handle import handle_of, open_handle
from agent.kernel.mark_flags import MarkFlags, known
from agent.simulator import volume_image

pytest_plugins = ("tests.volumes.fixture",)
pytestmark = pytest.mark.kernel

_READS = "import os,sys\nfor p in sys.argv[1:]: os.pread(os.open(p,os.O_RDONLY),1,0)"


@pytest.fixture
def group() -> Iterator[int]:
    made = fanotify.init()
    yield made
    os.close(made)


def asked(group: int, files: list[Path]) -> list[str]:
    """Return the names of *files* about whose reading the kernel asks."""
    found: list[str] = []
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", _READS, *files]) as child:
        ended = os.pidfd_open(child.pid)
        try:
            while ended not in (ready := select.select([group, ended], [], [], 60)[0]):
                assert ready, "nothing happened for a minute"
                for fd, _ in fanotify.events(os.read(group, 4096)):
                    found.append(Path(os.readlink(f"/proc/self/fd/{fd}")).name)
                    fanotify.respond(group, fd, fanotify.FAN_ALLOW)
                    os.close(fd)
        finally:
            child.kill()
            os.close(ended)
    return found


def marked(group: int) -> int:
    return Path(f"/proc/self/fdinfo/{group}").read_text().count("fanotify ino:")


def test_the_oldest_is_asked_about_again_and_the_number_stays_bounded(volume: volume_image.Volume, group: int) -> None:
    files = [volume.point / str(number) for number in range(6)]
    for file in files:
        file.write_text("content")
    pins = PinnedMarks(group, known().access, most=4)
    fds = [os.open(file, os.O_RDONLY) for file in files]
    try:
        everywhere = fanotify.FAN_MARK_ADD | fanotify.FAN_MARK_FILESYSTEM
        fanotify.mark(group, everywhere, fanotify.FAN_ACCESS_PERM, str(volume.point))
        for fd in fds:
            pins.place(fd)
        pins.place(fds[-1])  # again: it is the same inode
        assert marked(group) == 4
    finally:
        for fd in fds:
            os.close(fd)
    assert asked(group, files) == ["0", "1"]
    fanotify.flush_ignored(group)
    pins.forget()
    assert asked(group, files) == [file.name for file in files]


def test_an_inode_that_is_gone_makes_room_and_a_volume_can_be_unmounted(ext4: volume_image.Volume, group: int) -> None:
    files = [ext4.point / str(number) for number in range(3)]
    for file in files:
        file.write_text("content")
    pins = PinnedMarks(group, known().access, most=2)
    for file in (files[0], files[1]):
        with open(file) as opened:
            pins.place(opened.fileno())
    files[0].unlink()
    with open(files[2]) as opened:
        pins.place(opened.fileno())
    assert marked(group) == 2
    # An agent beside us looks at every process, and copies every mount: it has hold of this one for a moment.
    assert wait_until(lambda: not subprocess.run(["umount", ext4.point], check=False).returncode, 30)
    assert wait_until(lambda: marked(group) == 0, 30)


def test_a_handle_leads_back_to_its_inode_and_to_nothing_else(volume: volume_image.Volume) -> None:
    file = volume.point / "a"
    file.write_text("content")
    with open(file) as opened:
        handle, inode = handle_of(opened.fileno()), os.fstat(opened.fileno()).st_ino
        found = open_handle(opened.fileno(), handle)
        assert os.fstat(found).st_ino == inode
        os.close(found)
    file.unlink()
    top = os.open(volume.point, os.O_RDONLY)
    try:
        with pytest.raises(OSError, match="Stale"):
            open_handle(top, handle)
    finally:
        os.close(top)


def test_directories_stay_loud_where_marks_pin_and_only_there(group: int) -> None:
    folder, file = (Object(("plans",), directory, b"/x", 1, 2, b"") for directory in (True, False))
    for evictable in (True, False):
        silence = IgnoreMarks(group, MarkFlags(known().access, evictable=evictable))
        silence.grant(())
        assert silence.allows(folder, NEVER, 0) == evictable
        assert silence.allows(file, NEVER, 0)
