"""Shared counters of several processes.

Rules of this file: one writer per number; eight bytes, aligned, are read and written at once. A page is made before the
fork and shared after it.
"""

import mmap
import time
from collections.abc import Callable

_TICK = 0.002


class Numbers:
    """Shared counters, all zero at first. Index 0 is the flag that ends the work: see :attr:`over`."""

    def __init__(self, count: int) -> None:
        self._page = mmap.mmap(-1, (count + 1) * 8)
        self._numbers = memoryview(self._page).cast("Q")

    def __getitem__(self, index: int) -> int:
        return int(self._numbers[index + 1])

    def __setitem__(self, index: int, number: int) -> None:
        self._numbers[index + 1] = number

    @property
    def over(self) -> bool:
        """Whether the working processes should end."""
        return bool(self._numbers[0])

    def end(self) -> None:
        """Ask all processes to end."""
        self._numbers[0] = 1


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll until *condition* holds; return whether it did within *seconds*."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_TICK)
    return True
