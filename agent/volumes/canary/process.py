"""Our side of a canary's process: it is started with the descriptors it tries, told what to do, and ended.

Rules of this file: nothing here waits longer than it was given. A process that does not answer is killed; one that the
kernel cannot end now is left to it. Source: ``opener``.
"""

import contextlib
import errno
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import Self

from agent.volumes.canary import opener


class CanaryProcess:
    """One canary. Raises ``OSError`` when there can be none: ETIMEDOUT when it did not get ready in time."""

    def __init__(self, uid: int, descriptors: Iterable[int], seconds: float) -> None:
        command = [sys.executable, "-I", "-S", opener.__file__, str(uid)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, pass_fds=tuple(descriptors)
        )
        self.pid, self.uid = self._process.pid, uid
        self._seconds = seconds
        self._rest = b""
        try:
            self._started(self._answer())
        except BaseException:
            self.close()
            raise

    def attempt(self, what: str, descriptor: int) -> int | None:
        """Let it try; return the error number it met, 0 when it was let in, ``None`` when it does not answer."""
        assert self._process.stdin
        try:
            self._process.stdin.write(f"{what} {descriptor}\n".encode())
        except OSError:
            return None
        return self._answer()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self._seconds)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            pipe.close()

    @staticmethod
    def _started(code: int | None) -> None:
        if code is None:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        if code:
            raise OSError(code, os.strerror(code))

    def _answer(self) -> int | None:
        assert self._process.stdout
        deadline = time.monotonic() + self._seconds
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                return None
            data = os.read(self._process.stdout.fileno(), 256)
            if not data:
                return None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return int(line) if line.isdigit() else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
