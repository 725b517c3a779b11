"""Small real filesystems for the tests, and the processes that write to them. Needs root; everything is undone."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests import ROOT

WRITER = ("-m", "tests.log.writer_process")


def missing() -> str:
    """Return why no filesystem can be made here; empty when it can."""
    if os.geteuid() != 0:
        return "needs root to mount a small filesystem"
    absent = [tool for tool in ("mkfs.ext4", "losetup", "mount") if not shutil.which(tool)]
    return f"needs {', '.join(absent)}" if absent else ""


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def make_image(path: Path, size: str, *options: str) -> None:
    run("truncate", "-s", size, path)
    run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard", *options, path)


@contextlib.contextmanager
def loop_mounted(image: Path, point: Path) -> Iterator[Path]:
    """Mount *image*, yield its log folder, and take everything down again."""
    point.mkdir()
    device = run("losetup", "--find", "--show", image)
    try:
        run("mount", "-t", "ext4", device, point)
        try:
            (point / "log").mkdir(mode=0o700, exist_ok=True)
            yield point / "log"
        finally:
            run("umount", point)
    finally:
        run("losetup", "--detach", device)


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
