"""The command that approved a departure: what a run of it never ends, though it may sit in the leaver's own login.

Rules of this file: the kernel named it (SO_PEERCRED), and it is known by its number and its start (proc_pid_stat(5),
field 22), so that a number given again protects nobody. It counts as long as it lives.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_AFTER_NAME = 3  # the first field behind the name, as proc_pid_stat(5) counts them
_STARTED = 22


class Caller(NamedTuple):
    """One process, for all time: *started* is in clock ticks since the boot."""

    pid: int
    started: int


def caller(pid: int) -> Caller | None:
    """Return the process that has this number now, ``None`` when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    behind = stat.rpartition(b")")[2].split()  # the name may hold blanks and brackets
    return Caller(pid, int(behind[_STARTED - _AFTER_NAME]))


def living(callers: Iterable[Caller]) -> frozenset[int]:
    """Return the numbers of those that are still there."""
    return frozenset(one.pid for one in callers if caller(one.pid) == one)
