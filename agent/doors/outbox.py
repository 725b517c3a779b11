"""What the doors process has to say and control has not taken yet: bounded, and never lost without being counted.

Rules of this file: there is one queue, so control hears things in the order they happened. When it is half full,
whatever can wait where it is (the events a board keeps) is left there: :meth:`Outbox.room`. Beyond that, frames anybody
outside can cause without limit are dropped and counted per door, and the count is said as soon as there is room; what
answers a command is always kept, since commands are control's own and few. Belongs to one event loop.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable

from agent.doors.frames import FromDoors, Lost
from agent.doors.link import Full
from agent.doors.words import Contact, Key, OwnDecision, Power, Read, Rex, Tamper

CAPACITY = 2000  # frames
_FLOODS = (Read, Key, Contact, Rex, Tamper, Power, OwnDecision)


class Outbox:
    """*send* takes one frame or raises :class:`Full`; call :meth:`drain` when it may have room again."""

    def __init__(self, send: Callable[[FromDoors], None], capacity: int = CAPACITY) -> None:
        self._send = send
        self._capacity = capacity
        self._waiting: deque[FromDoors] = deque()
        self._lost: Counter[str] = Counter()
        self._roomy = asyncio.Event()
        self._roomy.set()

    @property
    def waiting(self) -> bool:
        """Whether something has not been sent."""
        return bool(self._waiting or self._lost)

    def say(self, frame: FromDoors) -> None:
        """Send *frame* after everything before it, or drop and count it."""
        if len(self._waiting) >= self._capacity and isinstance(frame, _FLOODS):
            self.lost(frame.door)
        else:
            self._waiting.append(frame)
        self.drain()

    def lost(self, door: str, frames: int = 1) -> None:
        """Count frames of *door* that somebody had to drop before they came here."""
        self._lost[door] += frames

    async def room(self) -> None:
        """Return when more can be said without crowding out what cannot wait."""
        await self._roomy.wait()

    def drain(self) -> None:
        """Send as much as goes. Raises what *send* raises, except :class:`Full`."""
        try:
            while self._waiting:
                self._send(self._waiting[0])
                self._waiting.popleft()
            while self._lost:
                door, frames = next(iter(self._lost.items()))
                self._send(Lost(door, frames))
                del self._lost[door]
        except Full:
            pass
        if len(self._waiting) < self._capacity // 2:
            self._roomy.set()
        else:
            self._roomy.clear()
