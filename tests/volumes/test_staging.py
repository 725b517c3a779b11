"""A staged volume is marked and seen by nobody, and comes to its place with its cover on it, all in one move."""

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.disks import opening
from agent.errors import RefusedError
from agent.kernel import fanotify, loop_device, mountinfo, mounting, volume_lock
from agent.kernel.fanotify import FanotifyGroups
from agent.runtime.home import Home
from agent.volumes import guarding
from agent.volumes.protection import Protection
from agent.volumes.staging import Staging, VolumeSource
from agent.volumes.volume_tiers import VolumeTiers
from tests import needs
from tests.enforcement.scene import until

pytestmark = [pytest.mark.kernel, needs.kernel]


@pytest.fixture
def groups() -> Iterator[FanotifyGroups]:
    """Groups that nobody reads: a thread of ours closes them if a test should come to wait for itself."""
    made = FanotifyGroups(fanotify.init(), fanotify.init())
    late = threading.Timer(60, lambda: [os.close(group) for group in made])
    late.start()
    yield made
    late.cancel()
    for group in made:
        os.close(group)


@pytest.fixture
def protection(groups: FanotifyGroups, tmp_path: Path) -> Iterator[Protection]:
    home = Home(tmp_path / "home")
    home.create()
    made = Protection(
        home, groups, lambda _areas: {}, lambda: True, lambda: None, VolumeTiers(groups, "C", lambda: "C")
    )
    yield made
    made.locks.close()


@pytest.fixture
def image(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "image"
    with file.open("wb") as made:
        made.truncate(32 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(file)], check=True)
    (tmp_path / "point").mkdir()
    yield file
    mounting.unmount_below(str(tmp_path))


def staging(protection: Protection, groups: FanotifyGroups, image: Path, options: str = "") -> Staging:
    opened = opening.open_disk(str(image))
    try:
        made = Staging(groups, protection, VolumeSource(opened.node, "ext4", options), str(image.with_name("point")))
        made._thread.join()  # noqa: SLF001 - the loop device is ours until somebody has mounted it
    finally:
        opened.close()
    return made


def test_it_is_marked_before_and_covered_when_it_is_seen(
    protection: Protection, groups: FanotifyGroups, image: Path
) -> None:
    point = str(image.with_name("point"))
    staged = staging(protection, groups, image).result(0)
    try:
        assert staged.tier == "A"
        assert staged.st_dev in guarding.marked(groups.open)
        assert staged.st_dev in guarding.marked(groups.access)
        assert volume_lock.owner(staged.device) == str(protection.home.root)
        assert staged.device not in [row.device for row in mountinfo.table()]
        assert os.listdir(point) == []
        staged.publish()
        assert mounting.hidden(point)
        assert [row.point for row in mountinfo.table() if row.device == staged.device] == [point]
        assert os.listdir(point) == []
    finally:
        staged.close()
    mounting.unmount_below(point)
    until(lambda: staged.st_dev not in guarding.marked(groups.open))


def test_what_nobody_takes_is_let_go(protection: Protection, groups: FanotifyGroups, image: Path) -> None:
    staged = staging(protection, groups, image).result(0)
    staged.close()
    until(lambda: loop_device.of_image(str(image)) is None)
    assert staged.st_dev not in guarding.marked(groups.open)


def test_a_failure_is_told_and_leaves_nothing(protection: Protection, groups: FanotifyGroups, image: Path) -> None:
    with pytest.raises(OSError, match="nonsense"):
        staging(protection, groups, image, "nonsense").result(0)
    image.with_name("point").rmdir()
    with pytest.raises(FileNotFoundError):
        staging(protection, groups, image).result(0)
    until(lambda: loop_device.of_image(str(image)) is None)


def test_another_agents_volume_is_refused(protection: Protection, groups: FanotifyGroups, image: Path) -> None:
    node, loop = loop_device.open_image(str(image))
    number = os.stat(node).st_rdev
    other = volume_lock.VolumeLocks(Path("/somewhere/else"))
    try:
        assert other.take((os.major(number), os.minor(number))) is None
        with pytest.raises(RefusedError, match=r"volumes.volume-guarded-by-another-agent"):
            staging(protection, groups, image).result(0)
    finally:
        other.close()
        os.close(loop)
