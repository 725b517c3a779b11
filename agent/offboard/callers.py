"""Caller processes: the commands that approved a departure, which a run never ends, even in the leaver's own login.

Rules of this file: the kernel named the process (SO_PEERCRED). It is identified by its pid and its start time, so that
a reused pid protects nothing. The protection lasts as long as the process lives.
"""

from collections.abc import Iterable
from typing import NamedTuple

from agent.kernel.start_time import start_time


class Caller(NamedTuple):
    """One process, for all time: *started* is its :func:`agent.kernel.start_time.start_time`."""

    pid: int
    started: int


def caller(pid: int) -> Caller | None:
    """Return the process that has this pid now, ``None`` when there is none."""
    started = start_time(pid)
    return None if started is None else Caller(pid, started)


def living(callers: Iterable[Caller]) -> frozenset[int]:
    """Return the pids of the processes that still live."""
    return frozenset(process.pid for process in callers if caller(process.pid) == process)
