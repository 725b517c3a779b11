"""What a ring keeps, read off what the kernel shows: unknown is never none."""

import os
import time
from pathlib import Path

import pytest

from agent.kernel import ring_tables
from agent.kernel.ring_tables import RingPatience, keeps_files, parse_table, writes_paths

HEAD = b"pos:\t0\nflags:\t02000002\nmnt_id:\t17\nino:\t42190244\n"
BUFFERS = b"UserBufs:\t1\n    0: 0x7f00/4096\n"


def shown(count: int, *names: str) -> bytes:
    lines = "".join(f"{number:5}: {name}\n" for number, name in enumerate(names))
    return HEAD + b"SqThread:\t-1\n" + f"UserFiles:\t{count}\n{lines}".encode() + BUFFERS


@pytest.mark.parametrize("paths", [True, False], ids=["whole paths", "names only"])
@pytest.mark.parametrize(
    ("fdinfo", "where_paths", "where_names"),
    [
        (HEAD, None, None),  # at work, newer kernels
        (shown(1), None, True),  # at work, older ones: the count is written without the lock
        (shown(0), False, False),
        (shown(2, "/srv/plans/a.txt", "pipe:[7]"), True, True),
        (shown(2, "pipe:[7]", "anon_inode:[eventfd]"), False, True),
        (shown(1, "a.txt"), False, True),  # older kernels: no path, and a long name is not there at all
        (shown(1, ""), False, True),
        (shown(1, "<none>"), False, True),  # an empty place there, or a file that somebody called so
    ],
    ids=["nothing", "count only", "empty", "file", "no file", "name", "no name", "none"],
)
def test_what_is_shown_of_a_table(
    fdinfo: bytes, where_paths: bool | None, where_names: bool | None, paths: bool
) -> None:
    assert parse_table(fdinfo, paths=paths) is (where_paths if paths else where_names)


def test_a_ring_is_asked_again_while_it_is_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The question after the second pause finds it at rest."""
    fdinfo = tmp_path / "5"
    fdinfo.write_bytes(HEAD)
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            fdinfo.write_bytes(shown(1, "pipe:[7]"))

    monkeypatch.setattr(time, "sleep", pause)
    monkeypatch.setattr(ring_tables, "writes_paths", lambda: True)
    assert keeps_files(str(fdinfo), RingPatience()) is False
    assert len(pauses) == 2


def test_many_rings_at_work_take_no_more_time_than_a_look_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fdinfo = tmp_path / "5"
    fdinfo.write_bytes(HEAD)
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    patience = RingPatience(12)
    assert [keeps_files(str(fdinfo), patience) for _ in range(50)] == [None] * 50
    assert len(pauses) == 12


def test_a_kernel_that_cannot_be_tried_is_not_believed_to_write_whole_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.listdir("/proc/self/fd")
    monkeypatch.setattr(ring_tables, "_SETUP", 100_000)  # no such call, as where io_uring is turned off
    writes_paths.cache_clear()
    assert not writes_paths()
    monkeypatch.undo()
    writes_paths.cache_clear()
    writes_paths()
    assert os.listdir("/proc/self/fd") == before
