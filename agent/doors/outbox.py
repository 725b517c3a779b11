"""What the doors process has to say and control has not taken yet: bounded, and never lost without being counted.

Rules of this file: there is one queue, so control hears things in the order they happened. When it is half full,
whatever can wait where it is (the events a board keeps) is left there: :meth:`Outbox.room`. So is what would come
faster than control believes of the doors there are, or one board with much to tell would end the doors of all. Beyond
that, frames anybody outside can cause without limit are dropped and counted per door, and the count is said as soon as
there is room; what answers a command is always kept, since commands are control's own and few. Belongs to one event
loop.
"""

import asyncio
import math
from collections import Counter, deque
from collections.abc import Callable

from agent.doors.frames import FromDoors, Lost
from agent.doors.link import LinkFullError
from agent.doors.messages import Contact, KeyPress, OwnDecision, Power, Read, RequestToExit, Tamper

CAPACITY = 2000  # frames
FRAMES, FRAMES_PER_DOOR = 50, 10  # a second, over some seconds: who says more is ended
_FLOODS = (Read, KeyPress, Contact, RequestToExit, Tamper, Power, OwnDecision)
_SHARE, _SAVED = 0.5, 3.0  # what can wait has this share of it, and at once what comes in so many seconds


class Outbox:
    """*send* takes one frame or raises :class:`LinkFullError`; call :meth:`drain` when it may have room again."""

    def __init__(self, send: Callable[[FromDoors], None], capacity: int = CAPACITY) -> None:
        self._send = send
        self._capacity = capacity
        self._waiting: deque[FromDoors] = deque()
        self._lost: Counter[str] = Counter()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._rate = self._most = self._credit = math.inf  # frames a second, at once, now
        self._counted = 0.0

    def pace(self, doors: int) -> None:
        """Hold back what can wait so that control, which counts the frames of so many doors, never sees too many."""
        believed = FRAMES + FRAMES_PER_DOOR * doors
        self._rate, self._most = believed * _SHARE, believed * _SAVED
        self._credit = min(self._credit, self._most)

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

    async def room(self, said: int = 0) -> None:
        """Return when more can be said without crowding out what cannot wait, after *said* frames that could."""
        await self._roomy.wait()
        now = asyncio.get_running_loop().time()
        if self._credit < math.inf:
            self._credit = min(self._most, self._credit + self._rate * (now - self._counted)) - said
        self._counted = now
        if self._credit < 0:
            await asyncio.sleep(-self._credit / self._rate)

    def drain(self) -> None:
        """Send as much as goes. Raises what *send* raises, except :class:`LinkFullError`."""
        try:
            while self._waiting:
                self._send(self._waiting[0])
                self._waiting.popleft()
            while self._lost:
                door, frames = next(iter(self._lost.items()))
                self._send(Lost(door, frames))
                del self._lost[door]
        except LinkFullError:
            pass
        if len(self._waiting) < self._capacity // 2:
            self._roomy.set()
        else:
            self._roomy.clear()
