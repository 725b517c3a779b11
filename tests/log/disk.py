"""Small real filesystems for the tests, and the processes that write to them. Needs root; everything is undone."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from agent.log.append import Appender, Durability
from agent.log.verify import verify
from tests import ROOT
from tests.log.samples import line

WRITER = ("-m", "tests.log.writer_process")


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def make_image(path: Path, size: str, *options: str) -> None:
    run("truncate", "-s", size, path)
    run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard", *options, path)


@contextlib.contextmanager
def loop_mounted(image: Path, point: Path, options: str = "defaults") -> Iterator[Path]:
    """Mount *image*, yield its log folder, and take everything down again."""
    point.mkdir()
    device = run("losetup", "--find", "--show", image)
    try:
        run("mount", "-t", "ext4", "-o", options, device, point)
        try:
            (point / "log").mkdir(mode=0o700, exist_ok=True)
            yield point / "log"
        finally:
            run("umount", point)
    finally:
        run("losetup", "--detach", device)


def filled(folder: Path) -> Path:
    """Fill the filesystem of *folder* to the last byte, with a file beside it that is returned."""
    ballast = folder.parent / "ballast"
    with ballast.open("ab", buffering=0) as sink:
        found = os.statvfs(folder)
        with contextlib.suppress(OSError):
            length = found.f_bavail * found.f_frsize * 97 // 100
            os.posix_fallocate(sink.fileno(), os.lseek(sink.fileno(), 0, os.SEEK_END), length)
            os.lseek(sink.fileno(), 0, os.SEEK_END)
        size = 1 << 20
        while size:
            try:
                sink.write(b"x" * size)
            except OSError:
                size //= 2
        os.fsync(sink.fileno())
    return ballast


@contextlib.contextmanager
def memory_mounted(point: Path, size: str) -> Iterator[Path]:
    point.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "shoumi-test", point)
    try:
        yield point
    finally:
        run("umount", point)


@contextlib.contextmanager
def writer(folder: Path, durability: str, segment_bytes: int = 64 << 20) -> Iterator[subprocess.Popen[bytes]]:
    """Start a real appender on *folder*; it is killed at the end at the latest."""
    command = [sys.executable, *WRITER, str(folder), durability, str(segment_bytes)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def acknowledged(process: subprocess.Popen[bytes], count: int) -> int:
    """Wait for *count* acknowledgements; return the last one."""
    assert process.stdout
    last = 0
    for _ in range(count):
        text = process.stdout.readline()
        assert text.endswith(b"\n"), "the appender ended by itself"
        last = int(text)
    return last


def killed(process: subprocess.Popen[bytes]) -> int:
    """Kill the appender in the middle of its work; return the last number it had acknowledged, or 0."""
    process.kill()
    assert process.stdout
    whole, _, _ = process.stdout.read().rpartition(b"\n")
    return int(whole.split(b"\n")[-1] or 0)


class PowerCut(NamedTuple):
    """What a power cut did: the last number acknowledged before it, and the last one a start after it found."""

    acknowledged: int
    found: int


def cut_power(
    folder: Path, name: str, durability: Durability, segment_bytes: int, acknowledgements: int, before: int = 0
) -> PowerCut:
    """Cut the power of a log after so many acknowledgements; check that what is left starts and verifies.

    The cut: the image behind the mounted filesystem is copied at the moment of the kill. What the kernel holds in
    memory for that filesystem is not in the copy, as it would not be on the disk. A disk's own cache is not modelled.
    *before* entries are in the log already, and durable.
    """
    image, copy = folder / f"{name}.img", folder / f"{name}-copy.img"
    make_image(image, "24M")
    by_itself_never = "commit=600"  # the copy takes a moment, in which the kernel must not write back by itself
    with loop_mounted(image, folder / name, by_itself_never) as log_folder:
        if before:
            with Appender(log_folder, "power", segment_bytes) as log:
                log.append([line(log.next_seq + n) for n in range(before)])
        with writer(log_folder, durability, segment_bytes) as process:
            last = acknowledged(process, acknowledgements)
            last = max(last, killed(process))
            shutil.copyfile(image, copy)
    with loop_mounted(copy, folder / f"{name}-after") as log_folder:
        with Appender(log_folder, "power") as log:
            found = log.next_seq - 1
            log.append([line(log.next_seq)])
        report = verify(log_folder)
        assert report.ok, report.problems
        assert report.last == found + 1
    return PowerCut(last, found)
