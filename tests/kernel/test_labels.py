"""Every inode of an area gets one label, keeps it, and only the system can change it."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.kernel import labels, mounting, walk
from agent.simulator import volume_image

pytest_plugins = ("tests.volumes.fixture",)
pytestmark = pytest.mark.kernel


@pytest.fixture
def area(volume: volume_image.Volume) -> Path:
    """A tree with a directory, two files, a fifo, and a symbolic link that leads out of it."""
    area = volume.point / "area"
    (area / "below").mkdir(parents=True)
    (area / "计划.txt").write_text("a")
    (area / "below" / "b").write_text("b")
    os.mkfifo(area / "fifo")
    (volume.point / "outside").touch()
    (area / "link").symlink_to(volume.point / "outside")
    return area


def test_a_sweep_labels_everything_and_follows_no_link(area: Path) -> None:
    report = labels.sweep(str(area), "plans")
    assert (report.files, report.directories, report.special) == (2, 2, 1)
    assert (report.fresh, report.own, report.complete) == (5, 0, True)
    for path in (area, area / "below", area / "计划.txt", area / "below" / "b", area / "fifo"):
        assert labels.read(str(path)) == "plans"
    assert labels.read(str(area.parent / "outside")) is None


def test_a_second_sweep_finds_its_own_work(area: Path) -> None:
    first, second = labels.sweep(str(area), "plans"), labels.sweep(str(area), "plans")
    assert (second.fresh, second.own) == (0, first.fresh)


def test_a_survey_changes_nothing(area: Path) -> None:
    assert labels.survey(str(area)).fresh == 5
    assert labels.survey(str(area)).fresh == 5
    assert labels.read(str(area)) is None


def test_a_label_is_never_overwritten(area: Path) -> None:
    file = str(area / "below" / "b")
    assert labels.write(file, "other") == "other"
    assert labels.write(file, "plans") == "other"
    with open(file, "rb") as opened:
        assert labels.write(opened.fileno(), "plans") == "other"
    report = labels.sweep(str(area), "plans")
    assert report.strange == ((file, "other"),)
    assert labels.read(file) == "other"


def test_a_label_travels_with_links_and_renames(area: Path) -> None:
    labels.sweep(str(area), "plans")
    outside = area.parent
    os.link(area / "计划.txt", outside / "alias")
    (area / "below" / "b").rename(outside / "moved")
    assert labels.read(str(outside / "alias")) == labels.read(str(outside / "moved")) == "plans"
    with (outside / "alias").open("rb") as file:
        assert labels.read(file.fileno()) == "plans"


def test_files_with_names_outside_are_told_and_those_with_all_names_inside_are_not(area: Path) -> None:
    os.link(area / "below" / "b", area / "second name")
    os.link(area / "计划.txt", area.parent / "alias")
    report = labels.survey(str(area))
    assert report.links == (labels.HardLink(str(area / "计划.txt"), inside=1, names=2),)


def test_clearing_the_volume_removes_this_areas_labels_only(area: Path) -> None:
    labels.write(str(area / "below" / "b"), "other")
    labels.sweep(str(area), "plans")
    (area / "计划.txt").rename(area.parent / "moved")
    labels.clear(str(area.parent), "plans")
    assert labels.read(str(area)) is None
    assert labels.read(str(area.parent / "moved")) is None
    assert labels.read(str(area / "below" / "b")) == "other"


def test_another_filesystem_inside_is_told_and_not_entered(area: Path) -> None:
    mounting.mount("shoumi-test", str(area / "below"), "tmpfs", 0, "size=1m")
    (area / "below" / "foreign").touch()
    report = labels.sweep(str(area), "plans")
    assert report.troubles == (walk.WalkFailure(str(area / "below"), errno.EXDEV),)
    assert not report.complete
    assert labels.read(str(area / "below" / "foreign")) is None


def test_a_file_of_another_filesystem_mounted_over_a_name_is_told(area: Path) -> None:
    subprocess.run(["mount", "--bind", "/etc/hostname", area / "below" / "b"], check=True)
    assert labels.sweep(str(area), "plans").troubles == (walk.WalkFailure(str(area / "below" / "b"), errno.EXDEV),)


def test_a_filesystem_mounted_while_walked_is_not_entered(area: Path) -> None:
    (area / "beside").mkdir()
    waiting = {str(area / "below"), str(area / "beside")}
    for item in walk.walk(str(area)):
        if isinstance(item, walk.WalkEntry) and item.path in waiting and len(waiting) == 2:
            waiting.remove(item.path)
            mounting.mount("shoumi-test", *waiting, "tmpfs", 0, "size=1m")
        elif item.path in waiting:
            assert isinstance(item, walk.WalkFailure)
            assert item.error == errno.EXDEV
            waiting.clear()
    assert not waiting


def test_a_tree_deeper_than_a_path_may_be_long_needs_few_descriptors(area: Path) -> None:
    here = os.open(area, os.O_PATH)
    for _ in range(1500):
        os.mkdir("deep", dir_fd=here)
        below = os.open("deep", os.O_PATH, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    report = labels.sweep(str(area), "plans")
    assert (report.directories, report.complete) == (1502, True)


def test_a_directory_moved_away_while_walked_is_told(area: Path) -> None:
    (area / "below" / "deeper").mkdir()
    troubles = []
    for item in walk.walk(str(area)):
        if isinstance(item, walk.WalkFailure):
            troubles.append(item.error)
        elif item.path == str(area / "below" / "deeper"):
            (area / "below" / "deeper").rename(area.parent / "away")
    assert troubles == [errno.ESTALE]


def test_names_of_any_bytes_are_walked(area: Path) -> None:
    name = b"\xff\n\x1b[2J" + b"x" * 240
    with open(os.path.join(os.fsencode(area), name), "wb"):
        pass
    assert labels.sweep(str(area), "plans").files == 3
    assert labels.read(os.path.join(os.fsencode(area), name)) == "plans"


AS_USER = """
import ctypes, os, sys
file, call, namespace = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
os.setgroups([]); os.setgid(61779); os.setuid(61779)
if namespace == "own":  # root, with every capability, in a user and mount namespace of his own
    libc.prctl(4, 1)  # dumpable again, or /proc/self belongs to root
    assert libc.unshare(0x10020000) == 0, ctypes.get_errno()
    open("/proc/self/uid_map", "w").write("0 61779 1")
    assert os.geteuid() == 0
try:
    os.setxattr(file, "{0}", b"low") if call == "set" else os.removexattr(file, "{0}")
except OSError as error:
    print(error.errno)
else:
    print("done")
"""


@pytest.mark.parametrize("call", ["set", "remove"])
@pytest.mark.parametrize("namespace", ["host", "own"])
def test_no_user_changes_the_label_of_his_own_file(area: Path, call: str, namespace: str) -> None:
    file = area / "below" / "b"
    labels.sweep(str(area), "plans")
    os.chown(file, 61779, 61779)
    code = AS_USER.format(labels.ATTRIBUTE)
    done = subprocess.run(
        [sys.executable, "-c", code, file, call, namespace], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == str(errno.EPERM), done.stderr
    assert labels.read(str(file)) == "plans"


def test_an_unreadable_label_is_an_error_and_not_an_absent_one() -> None:
    with pytest.raises(OSError):
        labels.read("/proc/self/status")
    assert not labels.supported("/proc")
