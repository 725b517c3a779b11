"""A demo in a process of its own, with a temporary directory of its own, so that what it leaves behind can be seen."""

import contextlib
import fcntl
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agent.kernel import mountinfo, mounting

DEMO = (sys.executable, "-m", "agent.cli", "demo")


def telling(
    first: int, last: int, language: str = "en", *, interactive: bool = False, screens: bool = False
) -> tuple[str, ...]:
    """Return the command of a demo that tells only these scenes of the story; they are numbered from 1 again."""
    words = f"language={language!r}, interactive={interactive}, screens={screens}, story=STORY[{first - 1}:{last}]"
    play = f"from agent.demo.play import play; from agent.demo.story import STORY; sys.exit(play({words}))"
    return (sys.executable, "-c", f"import sys; {play}")


# An ordinary uid that may read, so that it finds a Python that lies in somebody's home.
AS_NOBODY = (
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    *("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"),
)


@contextmanager
def temporary() -> Iterator[Path]:
    """A directory that the demo's people can reach, to be the demo's ``TMPDIR``; gone afterwards whatever is in it."""
    folder = Path(tempfile.mkdtemp(prefix="shoumi-test-"))
    folder.chmod(0o1777)
    try:
        yield folder
    finally:
        mounting.unmount_below(str(folder))  # of a demo that a failed test left
        shutil.rmtree(folder, ignore_errors=True)


def environment(folder: Path, language: str, **more: str) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder), "SHOUMI_LANG": language, **more}


def start(folder: Path, language: str = "en", words: Sequence[str] = DEMO) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=environment(folder, language)
    )


def read_until(process: subprocess.Popen[str], beginning: str) -> list[str]:
    """Return the lines up to and with the first that begins so; fail when there is none."""
    assert process.stdout
    seen = []
    for line in process.stdout:
        seen.append(line.rstrip("\n"))
        if line.startswith(beginning):
            return seen
    raise AssertionError("\n".join(seen))


def left_behind(folder: Path, patience: float = 60.0) -> list[str]:
    """Return what is left of a demo that ran in *folder*: files, mounts, loop devices, processes. Waits for its end."""
    deadline = time.monotonic() + patience
    while (found := [*_files(folder), *used(folder)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def used(folder: Path) -> list[str]:
    """Return the mounts, loop devices and processes that have to do with *folder*."""
    name = os.fsencode(folder)
    points = [f"mount {mount.point}" for mount in mountinfo.table() if mountinfo.within(mount.point, str(folder))]
    loops = [f"loop {file}" for file in Path("/sys/block").glob("loop*/loop/backing_file") if name in _bytes(file)]
    return [*points, *loops, *(f"process {pid}" for pid in _processes(name))]


def _files(folder: Path) -> list[str]:
    return [f"file {path}" for path in folder.iterdir()]


def _processes(name: bytes) -> Iterator[str]:
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and name in _bytes(process / "cmdline"):
            yield process.name


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


class Terminal:
    """A demo on a pseudo-terminal."""

    def __init__(self, process: subprocess.Popen[bytes], ours: int) -> None:
        self.process = process
        self.ours = ours
        self.seen = ""

    def read_until(self, words: str, patience: float = 120.0) -> str:
        """Return what is said up to *words*, from here on."""
        begin = len(self.seen)
        deadline = time.monotonic() + patience
        raw = b""
        while words not in self.seen[begin:]:
            assert select.select([self.ours], [], [], max(0.0, deadline - time.monotonic()))[0], self.seen
            raw += os.read(self.ours, 4096)
            self.seen = self.seen[:begin] + raw.decode(errors="ignore")
        return self.seen[begin:]

    def read_to_end(self, patience: float = 60.0) -> int:
        """Read until nobody has the terminal open any more, and return the exit code."""
        deadline = time.monotonic() + patience
        with contextlib.suppress(OSError):  # EIO: the last one has closed it
            while select.select([self.ours], [], [], max(0.0, deadline - time.monotonic()))[0]:
                self.seen += os.read(self.ours, 4096).decode(errors="ignore")
        return self.process.wait(patience)

    def write(self, text: str) -> None:
        os.write(self.ours, text.encode())


@contextmanager
def terminal(environ: dict[str, str], *more: str, words: Sequence[str] = DEMO) -> Iterator[Terminal]:
    """Start a demo on a terminal of 80 by 24, in a session of its own; it is ended on leaving."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        ["setsid", "--ctty", *words, *more], stdin=theirs, stdout=theirs, stderr=theirs, env=environ
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.terminate()
        os.close(ours)
        process.wait()
