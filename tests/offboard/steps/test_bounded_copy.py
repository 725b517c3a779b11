"""What is moved aside to another filesystem is bounded, whatever somebody has put there."""

import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.offboard.steps import cron, keys, timers
from agent.offboard.steps.bounded_copy import DEEPEST, LARGEST, Allowance
from agent.offboard.steps.seizing import seize
from agent.offboard.steps.step import StepState
from agent.simulator import volume_image
from tests import needs
from tests.offboard.host import context, furnish, leaver
from tests.sentences import en

pytestmark = needs.root

MEMORY = Path("/dev/shm")


@pytest.fixture
def home(tmp_path: Path, uid: int) -> Path:
    furnish(tmp_path, uid)
    return tmp_path


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A place to keep things on another filesystem, named like a case."""
    other = MEMORY / f"shoumi-test-{os.getpid()}-elsewhere" / "C1"
    other.mkdir(parents=True)
    assert other.stat().st_dev != tmp_path.stat().st_dev
    yield other
    subprocess.run(["rm", "-rf", str(other.parent)], check=True)


def test_a_file_too_large_to_be_copied_is_closed_where_it_lies(tmp_path: Path, elsewhere: Path, uid: int) -> None:
    (tmp_path / "tab").write_bytes(os.urandom(1 << 20) * 17)
    os.chown(tmp_path / "tab", uid, uid)
    at_now = seize(tmp_path, "tab", elsewhere)
    assert at_now == tmp_path / ".tab.seized-C1"
    found = at_now.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode), found.st_size) == (0, 0, 0, 17 << 20)
    assert not list(elsewhere.rglob("tab*"))
    assert seize(tmp_path, "tab", elsewhere) is None
    (tmp_path / "tab").write_bytes(os.urandom(1 << 20) * 17)  # and a second one is kept beside it
    assert seize(tmp_path, "tab", elsewhere) == tmp_path / ".tab.seized-C1.1"


def test_a_hole_stays_a_hole(tmp_path: Path, elsewhere: Path) -> None:
    with (tmp_path / "tab").open("wb") as file:
        file.truncate(1 << 40)
        file.seek(1 << 30)
        file.write(b"in the middle")
    at_now = seize(tmp_path, "tab", elsewhere)
    assert at_now == elsewhere / str(tmp_path / "tab").lstrip("/")
    found = at_now.stat()
    assert (found.st_size, found.st_blocks * 512 < 1 << 20) == (1 << 40, True)
    with at_now.open("rb") as file:
        file.seek(1 << 30)
        assert file.read(20) == b"in the middle" + bytes(7)


def test_a_copy_cut_short_before_the_original_went_is_known_by_its_data(tmp_path: Path, elsewhere: Path) -> None:
    def sparse(at: Path, text: bytes) -> None:
        at.parent.mkdir(parents=True, exist_ok=True)
        with at.open("wb") as file:
            file.truncate(1 << 40)
            file.seek(1 << 35)
            file.write(text)
        os.utime(at, ns=(1, 1))

    copy = elsewhere / str(tmp_path / "tab").lstrip("/")
    sparse(tmp_path / "tab", b"one")
    sparse(copy, b"one")
    assert seize(tmp_path, "tab", elsewhere) == copy
    sparse(tmp_path / "tab", b"two")
    assert seize(tmp_path, "tab", elsewhere) == copy.with_name("tab.1")


@contextmanager
def deep(folder: Path, top: Path) -> Iterator[None]:
    """Make directories 1,500 deep in *top*, and empty *folder* afterwards, whatever came of it.

    Neither Python's ``shutil`` nor pytest gets so deep, and what they cannot remove is in everybody's way.
    """
    top.mkdir(exist_ok=True)
    try:
        here = os.open(top, os.O_RDONLY)
        for _ in range(1500):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(here)
        yield
    finally:
        subprocess.run(["rm", "-rf", *map(str, folder.iterdir())], check=True)


def test_directories_1500_deep_are_closed_where_they_lie(tmp_path: Path, elsewhere: Path, uid: int) -> None:
    with deep(tmp_path, tmp_path / "units"):
        at_now = seize(tmp_path, "units", elsewhere)
        assert at_now == tmp_path / ".units.seized-C1"
        assert stat.S_IMODE(at_now.stat().st_mode) == 0


def test_more_names_or_data_than_are_allowed_are_closed_and_what_was_copied_before_is_kept(
    tmp_path: Path, elsewhere: Path
) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"x" * 8192)
    allowed = Allowance(size=3 * 8192, inodes=2)
    moved = [seize(tmp_path, name, elsewhere, allowed=allowed) for name in ("a", "b", "c")]
    assert [at.is_relative_to(elsewhere) for at in moved if at] == [True, True, False]
    allowed = Allowance(size=8192 + 4096, inodes=10)
    (tmp_path / "d").write_bytes(b"x" * 8192)
    (tmp_path / "e").write_bytes(b"x" * 8192)
    moved = [seize(tmp_path, name, elsewhere, allowed=allowed) for name in ("d", "e")]
    assert [at.is_relative_to(elsewhere) for at in moved if at] == [True, False]


def test_as_much_is_copied_as_the_limits_say(tmp_path: Path, elsewhere: Path) -> None:
    assert (LARGEST, DEEPEST, Allowance().size, Allowance().inodes) == (16 << 20, 64, 64 << 20, 10_000)
    with volume_image.volume(size=16 << 20) as volume:
        found = os.statvfs(volume.point)
        assert Allowance.at(volume.point / "seized" / "C1").size == found.f_bavail * found.f_frsize // 4
    for depth, copied in ((DEEPEST, True), (DEEPEST + 1, False)):
        top = tmp_path / f"d{depth}"
        Path(top, *["d"] * depth).mkdir(parents=True)
        at_now = seize(tmp_path, top.name, elsewhere)
        assert at_now
        assert at_now.is_relative_to(elsewhere) is copied


def test_a_step_says_what_it_closed_in_place(home: Path, uid: int, elsewhere: Path) -> None:
    place = home / "host/var/spool/cron/crontabs/zhang"
    place.write_bytes(os.urandom(1 << 20) * 17)
    result = cron.run(leaver(home, uid), context(home, seized=elsewhere.parent), "C1")
    assert result.state is StepState.CONFIRMED
    assert result.facts["closed_in_place"] == [str(place.with_name(".zhang.seized-C1"))]
    assert "1 too large to move, access closed in place: " in en(result.detail)
    assert cron.find_targets(leaver(home, uid), context(home)) == ()


def test_what_was_moved_as_a_whole_is_not_searched_for_keys(home: Path, uid: int) -> None:
    """A directory 1,500 deep among what the case keeps stops nobody."""
    with deep(home, home / "host/home/zhang/.config/autostart"):
        who, at_host = leaver(home, uid), context(home)
        assert timers.STEP.run(who, at_host, "C1").state is StepState.CONFIRMED
        assert keys.run(who, at_host, "C1").state is StepState.CONFIRMED
