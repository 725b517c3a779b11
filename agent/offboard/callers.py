"""The command that approved a departure: what a run of it never ends, though it may sit in the leaver's own login.

Rules of this file: the kernel named it (SO_PEERCRED), and it is known by its number and its start, so that a number
given again protects nobody. It counts as long as it lives.
"""

from collections.abc import Iterable
from typing import NamedTuple

from agent.kernel.start_time import start_time


class Caller(NamedTuple):
    """One process, for all time: *started* is its :func:`agent.kernel.start_time.start_time`."""

    pid: int
    started: int


def caller(pid: int) -> Caller | None:
    """Return the process that has this number now, ``None`` when there is none."""
    started = start_time(pid)
    return None if started is None else Caller(pid, started)


def living(callers: Iterable[Caller]) -> frozenset[int]:
    """Return the numbers of those that are still there."""
    return frozenset(one.pid for one in callers if caller(one.pid) == one)
