"""Ending one process, and not another one that has its number by now.

Rules of this file: the process is named by number and start time.
Source: pidfd_open(2), pidfd_send_signal(2).
"""

import contextlib
import os
import signal

from agent.kernel.start_time import start_time


def end(pid: int, started: int | None) -> bool:
    """Kill process *pid* if it is the one that began at *started*; return whether it was sent the signal."""
    with contextlib.suppress(OSError):
        process = os.pidfd_open(pid)
        try:
            if started is not None and start_time(pid) == started:
                signal.pidfd_send_signal(process, signal.SIGKILL)
                return True
        finally:
            os.close(process)
    return False
