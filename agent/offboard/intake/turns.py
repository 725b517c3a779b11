"""Whose turn it is, of a directory that may hold far more names than one sweep can look at.

Rules of this file: bounded work for each sweep. Of what was never looked at the newest come first, so that what arrives
now waits for no heap, and beside them the oldest, so that a stream of new ones keeps no old one waiting for ever; of
what stays, those that were looked at longest ago. What was changed since it was looked at counts as never looked at; in
a heap of many thousands it waits for its turn, because asking for all their ages takes as long as a sweep may. The age
of a name orders, and decides nothing.
"""

import heapq
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from itertools import islice
from operator import itemgetter
from typing import Final

NEWEST: Final = 300
OLDEST: Final = 200
AGAIN: Final = 200  # of those that were looked at before
HEAP: Final = 20_000  # names; of more it is not asked whether they were changed


class Turns:
    """The names in one directory, as far as they are known."""

    def __init__(self) -> None:
        self._age: dict[str, int] = {}  # of those never looked at: nanoseconds of the last change
        self._stay: dict[str, int] = {}  # looked at, and still there, with the age then: longest since a look first

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

    def take(self, there: AbstractSet[str], age_of: Callable[[str], int]) -> list[str]:
        """Return the names to be looked at now, of those that are *there*; from then on they count as looked at.

        *age_of*: when a name was changed last, in nanoseconds; may raise ``OSError``.
        """
        for known in (self._age, self._stay):
            for name in known.keys() - there:
                del known[name]
        for name in there - self._age.keys() - (self._stay.keys() if len(there) > HEAP else set()):
            with suppress(OSError):  # gone again
                age = age_of(name)
                if self._stay.get(name) != age:
                    self._stay.pop(name, None)
                    self._age[name] = age
        again = list(islice(self._stay.items(), AGAIN))
        newest = heapq.nlargest(NEWEST, self._age.items(), key=itemgetter(1))
        for name, _ in newest:
            del self._age[name]
        oldest = heapq.nsmallest(OLDEST, self._age.items(), key=itemgetter(1))
        for name, _ in (*oldest, *again):
            self._age.pop(name, None)
            self._stay.pop(name, None)
        turn = [*newest, *oldest, *again]
        self._stay |= dict(turn)
        return [name for name, _ in turn]

    def over(self, name: str) -> None:
        """Forget a name that was put away; if it is there again, it is another delivery."""
        self._stay.pop(name, None)
