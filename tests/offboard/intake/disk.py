"""A small real filesystem and the cut of its power, and an inbox process that is ended. Needs root; all is undone."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests import ROOT

AGENT = ("-m", "tests.offboard.intake.agent_process")


@contextlib.contextmanager
def mounted(image: Path, point: Path) -> Iterator[Path]:
    point.mkdir(exist_ok=True)
    device = _run("losetup", "--find", "--show", image)
    try:
        _run("mount", "-t", "ext4", device, point)
        try:
            yield point
        finally:
            _run("umount", point)
    finally:
        _run("losetup", "--detach", device)


def make_image(path: Path) -> None:
    _run("truncate", "-s", "24M", path)
    _run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard", path)


@contextlib.contextmanager
def agent(home: Path, manner: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a real inbox on *home*; it is killed at the end at the latest."""
    with subprocess.Popen([sys.executable, *AGENT, home, manner], cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[bytes]) -> bytes:
    """Wait for the next line the agent says."""
    assert process.stdout
    said = process.stdout.readline()
    assert said.endswith(b"\n"), "the agent ended by itself"
    return said


def handed(home: Path) -> list[tuple[str, str]]:
    """Return (jti, subject) of every handing over, in order."""
    file = home / "handed.txt"
    return [(jti, subject) for jti, subject in map(str.split, file.read_text().splitlines())] if file.exists() else []


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
