"""Turns: the order in which names of a directory are read that may hold far more of them than one sweep can read.

Rules of this file: bounded work for each sweep, besides the listing of names by the kernel. Of the names never read the
newest come first, so that new arrivals wait for no backlog; then by turns the oldest of them, so that a stream of new
ones delays no old one for ever, and of the names already read those read longest ago. A name changed since it was read
counts as never read; among many thousands it waits for its turn, because reading all their ages takes as long as a
sweep may. The age of a name orders, and decides nothing.
"""

from collections.abc import Callable
from itertools import chain, islice, zip_longest
from typing import Final

FIRST: Final = 20  # of the newest, before anything else
NEWEST: Final = 300
OLDEST: Final = 200
AGAIN: Final = 200  # of those that were read before
HEAP: Final = 20_000  # names; beyond this, changes are not checked


class Turns:
    """The known names in one directory. *wanted* decides which of them count."""

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        self._wanted = wanted
        self.arrived: frozenset[str] = frozenset()  # since the listing before the last one
        self.removed: frozenset[str] = frozenset()
        self._present: set[str] = set()
        self._fresh: dict[str, int] = {}  # never read, with their age in nanoseconds: roughly oldest first
        self._stay: dict[str, int] = {}  # read, and still present, with the age then: read longest ago first

    def __contains__(self, name: str) -> bool:
        return name in self._stay or name in self._fresh

    @property
    def fresh(self) -> int:
        """The number of names that were never read."""
        return len(self._fresh)

    @property
    def staying(self) -> int:
        """The number of names that were read and still exist."""
        return len(self._stay)

    def take(self, present: set[str], age_of: Callable[[str], int]) -> list[str]:
        """Return the names to be read now, the most urgent first, of those that are *present*, which is kept.

        *age_of*: when a name was changed last, in nanoseconds; may raise ``OSError``.
        """
        self.arrived, self.removed = frozenset(present - self._present), frozenset(self._present - present)
        for name in self.removed:
            self._fresh.pop(name, None)
            self._stay.pop(name, None)
        changed: list[tuple[int, str]] = []
        for name in chain(self.arrived, list(self._stay) if len(self._stay) <= HEAP else ()):
            if self._wanted(name):
                try:
                    age = age_of(name)
                except OSError:  # deleted meanwhile
                    present.discard(name)
                    continue
                if self._stay.get(name) != age:
                    changed.append((age, name))
        self._present = present
        for age, name in sorted(changed):
            self._stay.pop(name, None)
            self._fresh[name] = age
        newest = list(islice(reversed(self._fresh), NEWEST))
        oldest = islice(self._fresh, min(OLDEST, len(self._fresh) - len(newest)))
        turns = zip_longest(newest[FIRST:], oldest, islice(self._stay, AGAIN))
        return newest[:FIRST] + [name for group in turns for name in group if name is not None]

    def mark_read(self, name: str) -> None:
        """Record that a name was read, and stays for now."""
        age = self._fresh.pop(name, None)
        if age is None:
            age = self._stay.pop(name, 0)
        self._stay[name] = age

    def over(self, name: str) -> None:
        """Forget a name that was filed; if it exists again, it is another delivery."""
        self._fresh.pop(name, None)
        self._stay.pop(name, None)
        self._present.discard(name)
