"""Start times of processes: the part of their identity that a pid lacks.

Rules of this file: clock ticks since the boot, as the kernel counts them. They may be stored and compared later by
another process; ``psutil.Process.create_time`` may not, because it moves with the clock of the host.
Source: proc_pid_stat(5), field 22.
"""

import os
import time
from pathlib import Path

_AFTER_NAME = 3  # the first field behind the name, as proc_pid_stat(5) counts them
_STARTED = 22
_TICKS = os.sysconf("SC_CLK_TCK")


def start_time(pid: int) -> int | None:
    """Return the start time of the process with the number *pid* now, ``None`` when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    return int(stat.rpartition(b")")[2].split()[_STARTED - _AFTER_NAME])  # the name may hold blanks and brackets


def ticks_now() -> int:
    """Return the present in the same unit: any process started from the next tick on has a greater number."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) * _TICKS // 10**9
