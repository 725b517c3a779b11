"""Whose turn it is, of a directory that may hold far more names than one sweep can look at.

Rules of this file: bounded work for each sweep, beside what the kernel does to list the names. Of what was never looked
at the newest come first, so that what arrives now waits for no heap; then by turns with them the oldest, so that a
stream of new ones keeps no old one waiting for ever, and of what stays those that were looked at longest ago. What was
changed since it was looked at counts as never looked at; in a heap of many thousands it waits for its turn, because
asking for all their ages takes as long as a sweep may. The age of a name orders, and decides nothing.
"""

from collections.abc import Callable
from itertools import chain, islice, zip_longest
from typing import Final

FIRST: Final = 20  # of the newest, before anything else
NEWEST: Final = 300
OLDEST: Final = 200
AGAIN: Final = 200  # of those that were looked at before
HEAP: Final = 20_000  # names; of more it is not asked whether they were changed


class Turns:
    """The names in one directory, as far as they are known. *wanted* says which of them count."""

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        self._wanted = wanted
        self.came: frozenset[str] = frozenset()  # since the look before the last one
        self.gone: frozenset[str] = frozenset()
        self._there: set[str] = set()
        self._fresh: dict[str, int] = {}  # never looked at, with their age in nanoseconds: oldest first, nearly
        self._stay: dict[str, int] = {}  # looked at, and still there, with the age then: longest since a look first

    def __contains__(self, name: str) -> bool:
        return name in self._stay or name in self._fresh

    @property
    def fresh(self) -> int:
        """How many there are that were never looked at."""
        return len(self._fresh)

    @property
    def staying(self) -> int:
        """How many there are that were looked at."""
        return len(self._stay)

    def take(self, there: set[str], age_of: Callable[[str], int]) -> list[str]:
        """Return the names to be looked at now, the most urgent first, of those that are *there*, which is kept.

        *age_of*: when a name was changed last, in nanoseconds; may raise ``OSError``.
        """
        self.came, self.gone = frozenset(there - self._there), frozenset(self._there - there)
        for name in self.gone:
            self._fresh.pop(name, None)
            self._stay.pop(name, None)
        found: list[tuple[int, str]] = []
        for name in chain(self.came, list(self._stay) if len(self._stay) <= HEAP else ()):
            if self._wanted(name):
                try:
                    age = age_of(name)
                except OSError:  # gone again
                    there.discard(name)
                    continue
                if self._stay.get(name) != age:
                    found.append((age, name))
        self._there = there
        for age, name in sorted(found):
            self._stay.pop(name, None)
            self._fresh[name] = age
        newest = list(islice(reversed(self._fresh), NEWEST))
        oldest = islice(self._fresh, min(OLDEST, len(self._fresh) - len(newest)))
        others = zip_longest(newest[FIRST:], oldest, islice(self._stay, AGAIN))
        return newest[:FIRST] + [name for some in others for name in some if name is not None]

    def looked(self, name: str) -> None:
        """Remember that a name was looked at, and stays for now."""
        age = self._fresh.pop(name, None)
        if age is None:
            age = self._stay.pop(name, 0)
        self._stay[name] = age

    def over(self, name: str) -> None:
        """Forget a name that was put away; if it is there again, it is another delivery."""
        self._fresh.pop(name, None)
        self._stay.pop(name, None)
        self._there.discard(name)
