"""A process that is stopped before the block begins: all of it.

Rules of this file: SIGSTOP is sent to a process and taken by one of its threads, signal(7); on a busy machine the
others go on until that one has run. Whoever must not be seen doing anything more is therefore waited for.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PATIENCE = 30.0  # seconds


@contextmanager
def stopped(pid: int) -> Iterator[int]:
    """Stop every thread of *pid* for the block. Raises ``OSError`` when they do not stop."""
    os.kill(pid, signal.SIGSTOP)
    try:
        deadline = time.monotonic() + _PATIENCE
        while any(state not in b"TZX" for state in thread_states(pid)):  # one that has ended does nothing either
            if time.monotonic() > deadline:
                raise OSError("it does not stop")
            time.sleep(0.001)
        yield pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def thread_states(pid: int) -> Iterator[bytes]:
    """Yield the state of each thread of *pid*, a letter: proc_pid_stat(5)."""
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            yield stat.read_bytes().rpartition(b")")[2].split()[0]
