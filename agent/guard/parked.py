"""Parked events: the opens that wait for the label worker, their deadline and their bounds.

Rules of this file: an event waits until it is answered or its deadline is over, and then it is denied. The waiting
events of one user are bounded. The questions about one filesystem at a time are few enough that a disk that does not
answer leaves threads of the worker to the others; further ones wait here. Pure bookkeeping; nanoseconds of the
monotonic clock.
"""

from collections import Counter, deque
from collections.abc import Hashable, Iterator
from typing import NamedTuple

from agent.guard.worker_packets import Kind

DEADLINE = 2_000_000_000
MOST = 768  # of all; each keeps a descriptor
MOST_OF_ONE = 256  # user
AT_ONCE = 4  # questions about one filesystem that the worker has and has not answered
LOOKS = 1  # at server processes at a time, however many descriptors they have
FILESYSTEMS = 6  # that may keep this many of its threads for good


_PROCESSES = -1  # stands for a filesystem where the question is about a process


class ParkedEvent(NamedTuple):
    """One event: its group and descriptor, the waiting thread, its person, and the filesystem it is about.

    ``kind`` is the question about it. ``names``: it is about reading the names of an open directory.
    """

    group: int
    fd: int
    tid: int
    path: bytes
    person: Hashable
    device: int
    since: int
    kind: Kind = Kind.PLACE
    names: bool = False


class ParkedEvents:
    """Events by the number of the question about them. Belongs to the loop that answers."""

    def __init__(self) -> None:
        self._waiting: dict[int, ParkedEvent] = {}  # in the order of their arrival
        self._of: Counter[Hashable] = Counter()
        self._devices: dict[int, int] = {}  # filesystem by question, until the worker has answered it
        self._about: Counter[int] = Counter()
        self._later: dict[int, deque[int]] = {}  # questions about a filesystem that has enough of them

    def __len__(self) -> int:
        return len(self._waiting)

    def room_for(self, person: Hashable) -> bool:
        """Return whether another event of *person* may wait."""
        return len(self._waiting) < MOST and self._of[person] < MOST_OF_ONE

    def park(self, number: int, event: ParkedEvent) -> bool:
        """Let *event* wait for the answer to question *number*; return whether it may be asked now."""
        self._waiting[number] = event
        self._of[event.person] += 1
        about = _PROCESSES if event.kind is Kind.LOOK else event.device
        if self._may_ask(about):
            self._ask(number, about)
            return True
        self._later.setdefault(about, deque()).append(number)
        return False

    def answered(self, number: int) -> ParkedEvent | None:
        """Return the event of question *number*, ``None`` when it waits no more."""
        device = self._devices.pop(number, None)
        if device is not None:
            self._about[device] -= 1
            if not self._about[device]:
                del self._about[device]
        event = self._waiting.pop(number, None)
        if event is not None:
            self._leave(event)
        return event

    def next_questions(self) -> Iterator[tuple[int, ParkedEvent]]:
        """Yield the questions that may be asked now; the caller asks them."""
        for device in [*self._later]:
            later = self._later[device]
            while later and self._may_ask(device):
                number = later.popleft()
                if (event := self._waiting.get(number)) is not None:  # else its deadline is over
                    self._ask(number, device)
                    yield number, event
            if not later:
                del self._later[device]

    def overdue(self, moment: int) -> Iterator[ParkedEvent]:
        """Yield the events whose deadline is over at *moment*; they wait no more."""
        while self._waiting:
            number, event = next(iter(self._waiting.items()))
            if moment - event.since < DEADLINE:
                return
            del self._waiting[number]
            self._leave(event)
            yield event

    def _may_ask(self, device: int) -> bool:
        if device == _PROCESSES:
            return self._about[device] < LOOKS
        filesystems = len(self._about) - (_PROCESSES in self._about)
        return self._about[device] < AT_ONCE and (device in self._about or filesystems < FILESYSTEMS)

    def _ask(self, number: int, device: int) -> None:
        self._devices[number] = device
        self._about[device] += 1

    def _leave(self, event: ParkedEvent) -> None:
        self._of[event.person] -= 1
        if not self._of[event.person]:
            del self._of[event.person]
