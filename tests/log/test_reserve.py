"""A full disk stops accesses and nothing else: acts are recorded in what the log keeps for them. On real disks."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.log.append import Appender
from agent.log.unwritable import LogFullError
from agent.log.verify import verify
from tests import needs
from tests.log.disk import filled, loop_mounted, make_image
from tests.log.samples import line
from tests.log.test_disk import append_for_ever

pytestmark = [pytest.mark.kernel, needs.small_disk, pytest.mark.xdist_group("log disk")]
ACTS = 200  # of some 300 bytes: less than what is kept on a disk of this size


@pytest.fixture(params=["ext4-1024", "ext4-4096", "xfs"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    kind, _, block = request.param.partition("-")
    image = tmp_path / "image"
    if kind == "ext4":
        make_image(image, "24M", "-b", block)
        with loop_mounted(image, tmp_path / "disk") as folder:
            yield folder
        return
    subprocess.run(["truncate", "-s", "320M", image], check=True)
    subprocess.run(["mkfs.xfs", "-q", image], check=True)
    point = tmp_path / "disk"
    point.mkdir()
    subprocess.run(["mount", "-o", "loop", image, point], check=True)
    try:
        (point / "log").mkdir(mode=0o700)
        yield point / "log"
    finally:
        subprocess.run(["umount", point], check=True)


def accesses_until_refused(log: Appender) -> None:
    with pytest.raises(LogFullError):
        append_for_ever(log, batch=9, path="计划" * 500)


def acts(log: Appender, count: int = ACTS) -> None:
    for _ in range(count):
        log.append([line(log.next_seq, path="x" * 200)], act=True)


@pytest.mark.parametrize("segment", [64 << 20, 20_000])
def test_on_a_full_disk_acts_are_recorded_and_no_access_is(disk: Path, segment: int) -> None:
    with Appender(disk, "process", segment) as log:
        acts(log, 1)
        ballast = filled(disk)
        accesses_until_refused(log)
        acts(log)
        assert not log.has_room(1000)
        accesses_until_refused(log)
    with Appender(disk, "process", segment) as again:  # started anew, and still no room
        acts(again)
        accesses_until_refused(again)
        ballast.unlink()
        assert again.has_room(1000)
        again.append([line(again.next_seq)])
        assert again.next_seq > 2 * ACTS
    assert verify(disk).ok


def test_what_others_fill_is_not_what_the_log_keeps(disk: Path) -> None:
    with Appender(disk, "process") as log:
        acts(log, 1)
        filled(disk)
        accesses_until_refused(log)
        for _ in range(3):
            filled(disk)  # again and again, whatever became free
            acts(log, ACTS // 4)
    assert verify(disk).ok


def test_a_segment_that_is_done_gives_back_what_it_kept(disk: Path) -> None:
    with Appender(disk, "process", 20_000) as log:
        acts(log)
        done = sorted(disk.glob("*.jsonl"))[:-1]
        assert done
        assert all(one.stat().st_blocks * 512 < 20_000 + 65_536 for one in done)
