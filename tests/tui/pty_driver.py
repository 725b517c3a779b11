"""A terminal as the kernel gives one: the program on a pseudo-terminal, and every byte it sends there.

Rules of this file: no library of ours or of Textual's is on this side. What counts is bytes.
"""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

QUIET = 0.25  # seconds without a byte after which a frame is over


class Pty:
    """``python -m tui HOME WORDS…``, or another module, on a pseudo-terminal of its own."""

    def __init__(
        self, home: Path | str, *words: str, size: tuple[int, int] = (80, 24), module: str = "tui", **environ: str
    ) -> None:
        ours, theirs = pty.openpty()
        columns, rows = size
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.began = time.perf_counter()
        argv = [sys.executable, "-I", "-m", module, str(home), *words]
        self.process = subprocess.Popen(
            argv, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=_environ(environ)
        )
        os.close(theirs)
        self._end = ours
        self.seen = b""

    def press(self, keys: bytes) -> None:
        """Send keys."""
        os.write(self._end, keys)

    def until(self, words: str, seconds: float = 20.0) -> float:
        """Read until *words* were sent since the last :meth:`clear`; return when that was. Raises TimeoutError."""
        deadline, wanted = time.perf_counter() + seconds, words.encode()
        while wanted not in self.seen:
            if not self.read(deadline - time.perf_counter()):
                raise TimeoutError(f"{words!r} was not shown; the end of what was: {self.seen[-2000:]!r}")
        return time.perf_counter()

    def rest(self, seconds: float = QUIET) -> bytes:
        """Read until nothing was sent for *seconds*; return all since the last :meth:`clear`."""
        while self.read(seconds):
            pass
        return self.seen

    def clear(self) -> None:
        """Forget what was sent so far."""
        self.seen = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        os.close(self._end)

    def read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._end], [], [], max(0.0, seconds))
        if not ready:
            return False
        try:
            data = os.read(self._end, 1 << 16)
        except OSError:  # the program has ended
            return False
        self.seen += data
        return bool(data)


def _environ(more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEXTUAL", "SHOUMI", "NO_COLOR"))}
    return {**kept, "TERM": "xterm-256color", "LANG": "C.UTF-8", **more}
