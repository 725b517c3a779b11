"""A log that loses its file, its folder or its disk: denied at once, told, and gone on with by itself.

Nothing of a batch that was refused stands in the record, nothing that was acknowledged is numbered again, and what is
missing is named by ``verify``.
"""

import fcntl
import os
import shutil
import struct
from pathlib import Path

import pytest

from agent.log import append, segments
from agent.log.append import Appender
from agent.log.unwritable import LogFailedError, LogLockedError, LogUnwritableError
from agent.log.verify import verify
from tests import needs
from tests.log.disk import loop_mounted, make_image, memory_mounted, run
from tests.log.samples import line, numbers, record, write_plain
from tests.sentences import en, zh

MODES = pytest.mark.parametrize("durability", ["power", "process"])


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Look at the names before each write, and try again without a pause."""
    monkeypatch.setattr(append, "_LOOK", 0.0)
    monkeypatch.setattr(append, "_AGAIN", 0.0)


def active(folder: Path) -> Path:
    return max(folder.glob("*.jsonl"))


def go_on(log: Appender, count: int = 2) -> None:
    for _ in range(count):
        log.append([line(log.next_seq)])


def missing(folder: Path) -> list[str]:
    return [en(problem.text) for problem in verify(folder).problems if problem.kind == "missing"]


@MODES
def test_a_deleted_segment_is_noticed_before_the_next_entry_and_what_was_in_it_is_named(folder, durability):
    with Appender(folder, durability) as log:
        go_on(log, 3)
        active(folder).unlink()
        with pytest.raises(LogFailedError, match=r"log.segment-deleted"):
            log.append([line(4)])
        assert not log.intact
        go_on(log)
        assert log.missing == (1, 3, log.missing.reason)
        assert en(log.missing.reason) != zh(log.missing.reason)
        go_on(log)
    assert numbers(folder) == [4, 5, 6, 7]
    assert [file.name for file in folder.glob("*.jsonl")] == [segments.name(4)]
    [text] = missing(folder)
    assert "1 to 3 are missing" in text
    assert Appender(folder, durability).next_seq == 8


@MODES
@pytest.mark.parametrize("left", [0, 1, -1, -60])
def test_a_segment_cut_short_is_not_written_to_any_more(folder, durability, left):
    with Appender(folder, durability) as log:
        go_on(log, 3)
        whole = active(folder).read_bytes()
        size = left % len(whole) if left else 0
        os.truncate(active(folder), size)
        with pytest.raises(LogFailedError, match=rf"log.segment-size-differs.*size={size}, written={len(whole)}"):
            log.append([line(4)])
        go_on(log)
        assert (log.missing.first, log.missing.last) == (1 if left in (0, 1) else 3, 3)
    assert numbers(folder)[-2:] == [4, 5]
    assert f"{log.missing.first} to 3 are missing" in missing(folder)[-1]


@MODES
def test_what_somebody_else_appends_is_put_aside(folder, durability):
    with Appender(folder, durability) as log:
        go_on(log, 2)
        with active(folder).open("ab") as file:
            file.write(line(3, kind="forged") + b"\n")
        with pytest.raises(LogFailedError, match=r"log.log-not-writable"):
            log.append([line(3)])
        go_on(log)
        assert (log.missing, log.recovered) == (None, len(line(3, kind="forged")) + 1)
    assert record(folder) == [line(n) for n in range(1, 5)]
    assert verify(folder).ok


@MODES
def test_a_renamed_segment_is_noticed_and_another_one_is_begun(folder, durability):
    with Appender(folder, durability) as log:
        go_on(log, 2)
        active(folder).rename(folder / "kept.txt")
        with pytest.raises(LogFailedError, match=r"log.segment-renamed"):
            log.append([line(3)])
        go_on(log)
        assert (log.missing.first, log.missing.last) == (1, 2)
    assert numbers(folder) == [3, 4]


def test_a_copy_in_its_place_is_taken_and_anything_else_is_not(folder, tmp_path):
    with Appender(folder, "process") as log:
        go_on(log, 2)
        shutil.copy(active(folder), tmp_path / "copy")
        (tmp_path / "copy").replace(active(folder))
        with pytest.raises(LogFailedError):
            log.append([line(3)])
        go_on(log)
        assert log.missing is None
        assert numbers(folder) == [1, 2, 3, 4]
        (tmp_path / "other").write_bytes(active(folder).read_bytes().replace(b"files1", b"files2"))
        (tmp_path / "other").replace(active(folder))
        with pytest.raises(LogFailedError):
            log.append([line(5)])
        go_on(log)
        assert (log.missing.first, log.missing.last) == (4, 4)
    assert numbers(folder) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("how", ["empty", "older", "none"])
def test_another_folder_in_its_place_is_not_written_to_until_the_log_is_back(folder, how):
    away = folder.with_name("away")
    with Appender(folder, "process") as log:
        go_on(log, 1)
        shutil.copytree(folder, folder.with_name("older"))
        go_on(log, 2)
        folder.rename(away)
        if how == "empty":
            folder.mkdir(mode=0o700)
        elif how == "older":
            folder.with_name("older").rename(folder)
            folder.chmod(0o700)
        with pytest.raises(LogFailedError, match=r"log.folder-replaced"):
            log.append([line(4)])
        reason = "log.folder-missing" if how == "none" else "log.folder-without-last-entry.*last=3"
        with pytest.raises(LogFailedError, match=rf"log.log-not-writable.*{reason}") as refused:
            log.append([line(4)])
        assert refused.value.hint
        shutil.rmtree(folder, ignore_errors=True)
        away.rename(folder)
        go_on(log)
        assert log.missing is None
    assert numbers(folder) == [1, 2, 3, 4, 5]


def test_a_whole_copy_of_the_folder_is_gone_on_with_and_locked(folder):
    with Appender(folder, "process") as log:
        go_on(log, 2)
        folder.rename(folder.with_name("away"))
        shutil.copytree(folder.with_name("away"), folder)
        folder.chmod(0o700)
        with pytest.raises(LogFailedError):
            log.append([line(3)])
        go_on(log)
        with pytest.raises(LogLockedError):
            Appender(folder, "process")
    assert numbers(folder) == [1, 2, 3, 4]
    assert numbers(folder.with_name("away")) == [1, 2]


def test_everything_in_the_folder_deleted_the_lock_included(folder):
    with Appender(folder, "process") as log:
        go_on(log, 2)
        for file in folder.iterdir():
            file.unlink()
        with pytest.raises(LogFailedError, match=r"log.segment-deleted"):
            log.append([line(3)])
        go_on(log)
        with pytest.raises(LogLockedError):
            Appender(folder, "process")
    assert numbers(folder) == [3, 4]


def test_whoever_has_taken_the_lock_meanwhile_keeps_it(folder):
    with Appender(folder, "process") as log:
        go_on(log, 2)
        (folder / ".lock").unlink()
        with Appender(folder, "process") as other:
            with pytest.raises(LogFailedError, match=r"log.log-not-writable.*log.segment-renamed"):
                log.append([line(3)])
            with pytest.raises(LogLockedError):
                log.append([line(3)])
            go_on(other, 1)
        with pytest.raises(LogFailedError, match=r"log.appended-by-another-process"):
            log.append([line(3)])
        assert log.next_seq == 4
        go_on(log, 1)
    assert numbers(folder) == [1, 2, 3, 4]


def test_trouble_is_looked_into_ten_times_a_second_and_no_oftener(folder, monkeypatch):
    monkeypatch.setattr(append, "_AGAIN", 60.0)
    with Appender(folder, "process") as log:
        go_on(log, 1)
        folder.rename(folder.with_name("away"))
        with pytest.raises(LogFailedError):
            log.append([line(2)])
        with pytest.raises(LogFailedError) as first:
            log.append([line(2)])
        folder.with_name("away").rename(folder)
        with pytest.raises(LogFailedError) as second:
            log.append([line(2)])
        assert second.value is not first.value  # an exception that is raised again and again grows
        assert second.value.text == first.value.text


# Disks.

disk = [pytest.mark.kernel, needs.small_disk, pytest.mark.xdist_group("log disk")]
_SHUT_DOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN: from now on the filesystem answers EIO, as after the disk was pulled


def on_disk(test):
    for mark in disk:
        test = mark(test)
    return test


def shut_down(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, _SHUT_DOWN, struct.pack("I", 2))  # nothing is written back
    finally:
        os.close(descriptor)


@on_disk
def test_a_disk_that_turns_read_only_is_denied_on_and_gone_on_with_when_it_is_writable(tmp_path):
    make_image(tmp_path / "image", "24M")
    with loop_mounted(tmp_path / "image", tmp_path / "point", "errors=remount-ro") as folder:
        with Appender(folder, "power") as log:
            go_on(log, 3)
            device = os.path.basename(run("findmnt", "-no", "SOURCE", folder.parent))
            Path("/sys/fs/ext4", device, "trigger_fs_error").write_text("made by a test")
            for _ in range(3):
                with pytest.raises(LogFailedError, match="Read-only"):
                    log.append([line(4)])
            with pytest.raises(LogFailedError, match="Read-only"):
                Appender(folder, "power")
            run("umount", folder.parent)  # nothing is held any more
            run("mount", "-o", "loop", tmp_path / "image", folder.parent)
            go_on(log)
        assert verify(folder).ok
        assert numbers(folder) == [1, 2, 3, 4, 5]


@on_disk
def test_a_log_on_a_read_only_filesystem_is_opened_when_it_is_writable(tmp_path):
    with memory_mounted(tmp_path / "memory", "64k") as folder:
        write_plain(folder, 1)
        run("mount", "-o", "remount,ro", folder)
        with pytest.raises(LogFailedError, match="Read-only"):
            Appender(folder, "process")
        assert verify(folder).ok
        run("mount", "-o", "remount,rw", folder)
        Appender(folder, "process").close()


@on_disk
def test_a_disk_that_was_pulled_is_denied_on_and_gone_on_with_when_it_is_mounted_again(tmp_path):
    make_image(tmp_path / "image", "24M")
    with loop_mounted(tmp_path / "image", tmp_path / "point") as folder, Appender(folder, "power") as log:
        go_on(log, 3)
        shut_down(folder)
        for _ in range(3):
            with pytest.raises(LogFailedError, match="Input/output error"):
                log.append([line(4)])
        run("umount", folder.parent)
        with pytest.raises(LogFailedError):
            log.append([line(4)])
        run("mount", "-o", "loop", tmp_path / "image", folder.parent)
        go_on(log)
        assert (log.missing, log.next_seq) == (None, 6)
        assert verify(folder).ok
        log.close()
        run("umount", folder.parent)
        run("mount", "-o", "loop", tmp_path / "image", folder.parent)
        assert numbers(folder) == [1, 2, 3, 4, 5]


@on_disk
def test_another_filesystem_over_the_folder_is_not_written_to(tmp_path):
    folder = tmp_path / "log"
    folder.mkdir(mode=0o700)
    with Appender(folder, "process") as log:
        go_on(log, 2)
        run("mount", "-t", "tmpfs", "-o", "mode=0700", "shoumi-test", folder)
        try:
            with pytest.raises(LogFailedError, match=r"log.folder-replaced"):
                log.append([line(3)])
            with pytest.raises(LogFailedError, match=r"log.folder-without-last-entry"):
                log.append([line(3)])
            assert list(folder.iterdir()) == []
        finally:
            run("umount", folder)
        go_on(log)
    assert numbers(folder) == [1, 2, 3, 4]


@on_disk
def test_what_a_failed_sync_left_behind_is_taken_back_before_the_next_entry(tmp_path):
    # The image is sparse and lies on a filesystem that is too small for it: the kernel takes the write and only the
    # sync finds out that the disk fails.
    with memory_mounted(tmp_path / "memory", "2M") as memory:
        make_image(memory / "image", "16M", "-O", "^has_journal")
        with loop_mounted(memory / "image", tmp_path / "point") as folder, Appender(folder, "power") as log:
            while True:
                try:
                    log.append([line(log.next_seq, args="x" * 60_000)])
                except LogUnwritableError:
                    break
            acknowledged = log.next_seq - 1
            assert numbers(folder) == [*range(1, acknowledged + 2)]  # it stands there, and nobody may rely on it
            run("mount", "-o", "remount,size=32M", memory)
            go_on(log)
            assert numbers(folder) == [*range(1, acknowledged + 3)]
            assert not list(folder.glob("torn-*"))
            assert verify(folder).ok
            assert record(folder)[acknowledged] == line(acknowledged + 1)
