"""Events that wait for the label worker: who waits, how long, and how many may.

Rules of this file: an event waits until it is answered or its deadline is over, and then it is denied. What one user
makes wait is bounded, and so is what a filesystem that does not answer keeps in the worker; beyond that an event is
denied at once. Pure bookkeeping; nanoseconds of the monotonic clock.
"""

from collections import Counter
from collections.abc import Hashable, Iterator
from typing import NamedTuple

DEADLINE = 2_000_000_000
MOST = 768  # of all; each keeps a descriptor
MOST_OF_ONE = 256  # user
MOST_ASKED = 384  # questions about one filesystem that the worker has not answered, given up or not


class ParkedEvent(NamedTuple):
    """One event: its group and descriptor, the thread that waits, whose it is, and the filesystem it is about."""

    group: int
    fd: int
    tid: int
    path: bytes
    who: Hashable
    device: int
    since: int


class ParkedEvents:
    """Events by the number of the question about them. Belongs to the loop that answers."""

    def __init__(self) -> None:
        self._waiting: dict[int, ParkedEvent] = {}  # in the order in which they came
        self._of: Counter[Hashable] = Counter()
        self._asked: dict[int, int] = {}  # filesystem by question
        self._about: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._waiting)

    def room_for(self, who: Hashable, device: int) -> bool:
        """Whether another event of *who* about *device* may wait."""
        crowded = len(self._waiting) >= MOST or self._of[who] >= MOST_OF_ONE
        return not crowded and self._about[device] < MOST_ASKED

    def park(self, number: int, event: ParkedEvent) -> None:
        """Let *event* wait for the answer to question *number*."""
        self._waiting[number] = event
        self._of[event.who] += 1
        self._asked[number] = event.device
        self._about[event.device] += 1

    def answered(self, number: int) -> ParkedEvent | None:
        """Return the event that question *number* was about, ``None`` when it waits no more."""
        device = self._asked.pop(number, None)
        if device is not None:
            self._about[device] -= 1
        event = self._waiting.pop(number, None)
        if event is not None:
            self._leave(event)
        return event

    def overdue(self, moment: int) -> Iterator[ParkedEvent]:
        """Yield the events whose deadline is over at *moment*; they wait no more."""
        while self._waiting:
            number, event = next(iter(self._waiting.items()))
            if moment - event.since < DEADLINE:
                return
            del self._waiting[number]
            self._leave(event)
            yield event

    def _leave(self, event: ParkedEvent) -> None:
        self._of[event.who] -= 1
        if not self._of[event.who]:
            del self._of[event.who]
