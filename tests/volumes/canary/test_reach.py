"""What a canary tries is reached without asking anybody, and what it holds afterwards is asked about."""

import os
import select
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.kernel import fanotify, mounting
from agent.kernel.fanotify import FanotifyGroups
from agent.runtime.deadline import Deadline
from agent.simulator import volume_image
from agent.volumes.canary.reach import Reached, reach
from tests import needs

pytestmark = [pytest.mark.kernel, needs.needs(needs.fanotify_permissions)]


@pytest.fixture
def area() -> Iterator[Path]:
    with volume_image.volume() as volume:
        folder = volume.point / "plans"
        (folder / "below").mkdir(parents=True)
        (folder / "below" / "doc.txt").write_text("secret")
        os.mkfifo(folder / "pipe")
        yield folder


@pytest.fixture
def groups(area: Path) -> Iterator[FanotifyGroups]:
    """Groups that ask about the volume, and answer nothing by themselves. Closing them lets everybody go."""
    made = FanotifyGroups(fanotify.init(), fanotify.init())
    killer = threading.Timer(30, lambda: [os.close(group) for group in made])
    killer.daemon = True
    killer.start()
    for group, mask in (
        (made.open, fanotify.FAN_OPEN_PERM | fanotify.FAN_ONDIR),
        (made.access, fanotify.FAN_PRE_ACCESS),
    ):
        fanotify.mark(group, fanotify.FAN_MARK_ADD | fanotify.FAN_MARK_FILESYSTEM, mask, area)
    yield made
    killer.cancel()
    for group in made:
        os.close(group)


def reached(groups: FanotifyGroups, area: Path, known: str = "", device: int | None = None) -> Reached:
    st_dev = os.stat(area.parent).st_dev if device is None else device
    return Deadline(lambda: reach(groups, str(area), st_dev, known, older=True), Reached.close).result(10)


def asked(group: int) -> bool:
    """Deny what waits in *group*; whether there was anything."""
    return bool(select.select([group], [], [], 10)[0] and fanotify.deny_waiting(group))


def refused(act: object, group: int) -> bool:
    """Do *act* in a thread, deny it in *group*; whether it was asked about and met EPERM."""
    found: list[int] = []

    def run() -> None:
        try:
            act()  # type: ignore[operator]
        except OSError as error:
            found.append(error.errno or 0)

    thread = threading.Thread(target=run)
    thread.start()
    was_asked = asked(group)
    thread.join()
    return was_asked and found == [1]


def test_nobody_is_asked_on_the_way_and_everything_is_asked_about_afterwards(
    area: Path, groups: FanotifyGroups
) -> None:
    way = reached(groups, area)
    try:
        assert (way.name, os.readlink(f"/proc/self/fd/{way.file}")) == ("below/doc.txt", str(area / "below/doc.txt"))
        assert os.fstat(way.older).st_ino == way.inode[1]
        assert not any(select.select([group], [], [], 0)[0] for group in groups)
        assert refused(lambda: os.open(f"/proc/self/fd/{way.directory}/.", os.O_RDONLY), groups.open)
        assert refused(lambda: os.open(f"/proc/self/fd/{way.file}", os.O_RDONLY), groups.open)
        assert refused(lambda: os.pread(way.older, 1, 0), groups.access)
        assert refused(lambda: os.open(f"/proc/self/fd/{way.older}", os.O_RDONLY), groups.open)
    finally:
        way.close()


def test_a_file_that_is_gone_is_found_anew_and_a_link_leads_nowhere(area: Path, groups: FanotifyGroups) -> None:
    (area / "below" / "doc.txt").rename(area / "other.txt")
    (area / "below" / "doc.txt").symlink_to("/etc/passwd")
    way = reached(groups, area, "below/doc.txt")
    assert way.name == "other.txt"
    way.close()


def test_below_our_cover_the_area_is_reached(area: Path, groups: FanotifyGroups) -> None:
    device = os.stat(area).st_dev
    mounting.hide(str(area.parent))
    try:
        way = reached(groups, area, device=device)
        assert way.name
        way.close()
    finally:
        mounting.unhide(str(area.parent))


def test_a_volume_that_is_not_there_is_absent_and_another_in_its_place_is_not(
    groups: FanotifyGroups, tmp_path: Path
) -> None:
    way = reached(groups, tmp_path, device=1)
    assert way.absent
    way.close()
    (tmp_path / "something").touch()
    way = reached(groups, tmp_path, device=1)
    assert (way.absent, way.file) == (False, -1)
    way.close()
