"""Whose turn it is, of a directory that may hold far more names than one sweep can look at.

Rules of this file: bounded work for each sweep. Of what was never looked at the newest come first, so that what arrives
now waits for no heap, and beside them the oldest, so that a stream of new ones keeps no old one waiting for ever; of
what stays, those that were looked at longest ago. What a name leads to may have changed: its age orders, and decides
nothing.
"""

import heapq
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

NEWEST: Final = 300
OLDEST: Final = 200
AGAIN: Final = 200  # of those that were looked at before


class Turns:
    """The names in one directory, as far as they are known."""

    def __init__(self) -> None:
        self._age: dict[str, int] = {}  # of those never looked at: nanoseconds of the last change
        self._stay: dict[str, None] = {}  # looked at, and still there: longest since a look first

    def __contains__(self, name: str) -> bool:
        return name in self._stay or name in self._age

    @property
    def fresh(self) -> int:
        """How many there are that were never looked at."""
        return len(self._age)

    @property
    def staying(self) -> int:
        """How many there are that were looked at."""
        return len(self._stay)

    def take(self, there: Mapping[str, "os.DirEntry[str]"]) -> list[str]:
        """Return the names to be looked at now, of those that are *there*; from then on they count as looked at."""
        self._age = {name: age for name, age in self._age.items() if name in there}
        self._stay = {name: None for name in self._stay if name in there}
        for name in there.keys() - self._age.keys() - self._stay.keys():
            with suppress(OSError):  # gone again
                self._age[name] = there[name].stat(follow_symlinks=False).st_ctime_ns
        newest = heapq.nlargest(NEWEST, self._age, key=self._age.__getitem__)
        for name in newest:
            del self._age[name]
        oldest = heapq.nsmallest(OLDEST, self._age, key=self._age.__getitem__)
        for name in oldest:
            del self._age[name]
        again = [name for name, _ in zip(self._stay, range(AGAIN), strict=False)]
        for name in again:
            del self._stay[name]
        turn = [*newest, *oldest, *again]
        self._stay |= dict.fromkeys(turn)
        return turn

    def over(self, name: str) -> None:
        """Forget a name that was put away; if it is there again, it is another delivery."""
        self._stay.pop(name, None)
