"""Outbox: frames of the doors process that control has not taken yet. It is bounded, and every lost frame is counted.

Rules of this file: there is one queue, so control receives events in order. When it is half full, events that can wait
at their source (those a board stores) are left there: :meth:`Outbox.room`. The same holds for events beyond the message
rate control accepts for the doors, because one board with a long backlog would otherwise end the service of all doors.
Beyond that, frames outsiders can cause without limit are dropped and counted per door, and the count is sent as soon as
there is room; answers to commands are always kept, because control sends few. Belongs to one event loop.
"""

import asyncio
import math
from collections import Counter, deque
from collections.abc import Callable

from agent.doors.frames import FromDoors, Lost
from agent.doors.link import LinkFullError
from agent.doors.messages import Contact, KeyPress, OwnDecision, Power, Read, RequestToExit, Tamper

CAPACITY = 2000  # frames
FRAMES, FRAMES_PER_DOOR = 50, 10  # a second, over some seconds: a process that sends more is ended
_FLOODS = (Read, KeyPress, Contact, RequestToExit, Tamper, Power, OwnDecision)
_SHARE, _SAVED = 0.5, 3.0  # share of the rate for events that can wait; burst in seconds of that rate


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
        """Limit events that can wait, so that their rate stays below control's limit for so many doors."""
        believed = FRAMES + FRAMES_PER_DOOR * doors
        self._rate, self._most = believed * _SHARE, believed * _SAVED
        self._credit = min(self._credit, self._most)

    @property
    def waiting(self) -> bool:
        """Whether unsent frames exist."""
        return bool(self._waiting or self._lost)

    def say(self, frame: FromDoors) -> None:
        """Send *frame* after everything before it, or drop and count it."""
        if len(self._waiting) >= self._capacity and isinstance(frame, _FLOODS):
            self.lost(frame.door)
        else:
            self._waiting.append(frame)
        self.drain()

    def lost(self, door: str, frames: int = 1) -> None:
        """Count frames of *door* that were dropped before they reached the outbox."""
        self._lost[door] += frames

    async def room(self, sent: int = 0) -> None:
        """Return when more events that can wait may be sent without delaying others; *sent*: how many just were."""
        await self._roomy.wait()
        now = asyncio.get_running_loop().time()
        if self._credit < math.inf:
            self._credit = min(self._most, self._credit + self._rate * (now - self._counted)) - sent
        self._counted = now
        if self._credit < 0:
            await asyncio.sleep(-self._credit / self._rate)

    def drain(self) -> None:
        """Send as many frames as fit. Raises what *send* raises, except :class:`LinkFullError`."""
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
