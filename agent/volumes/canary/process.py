"""Control of a canary process: it is started with the descriptors to try, gets commands, and is ended.

Rules of this file: nothing here waits longer than the given time. A process that does not answer is killed; one that
the kernel cannot end now is left to the kernel. Source: ``opener``.
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
    """One canary process. Raises ``OSError`` when it cannot be started: ETIMEDOUT when it was not ready in time."""

    def __init__(self, uid: int, descriptors: Iterable[int], seconds: float) -> None:
        command = [sys.executable, "-I", "-S", opener.__file__, str(uid)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, pass_fds=tuple(descriptors)
        )
        self.pid, self.uid = self._process.pid, uid
        self._seconds = seconds
        self._buffer = b""
        try:
            self._started(self._answer())
        except BaseException:
            self.close()
            raise

    def attempt(self, kind: str, descriptor: int) -> int | None:
        """Make one attempt; return its error number, 0 when it was allowed, ``None`` when there is no answer."""
        assert self._process.stdin
        try:
            self._process.stdin.write(f"{kind} {descriptor}\n".encode())
        except OSError:
            return None
        return self._answer()

    def close(self) -> None:
        """End the process."""
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
        while b"\n" not in self._buffer:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([self._process.stdout], [], [], remaining)[0]:
                return None
            chunk = os.read(self._process.stdout.fileno(), 256)
            if not chunk:
                return None
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return int(line) if line.isdigit() else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
