"""Watchdog of the doors process: it answers, keeps the message rate for its doors, and has not leaked too much memory.

Rules of this file: it returns the reason to end the process; it ends nothing. Instants are of the monotonic clock and
passed in.
"""

from collections import Counter, deque

from agent.doors.frames import Pong
from agent.doors.outbox import FRAMES, FRAMES_PER_DOOR
from rules.text import Message, Sentence

_WINDOW = 10.0  # seconds over which frames are counted
_PING, _SILENT = 5.0, 20.0
_QUIET = 5.0  # seconds without a frame after which a worn process may be restarted
_TROUBLES = 60  # reported per minute; further ones are only counted

_FLOOD = Message("rooms.message-flood")
_MUTE = Message("common.does-not-answer")
_WORN = Message("rooms.routine-restart")


class FieldWatchdog:
    """Watches one doors process at a time. Belongs to one thread."""

    def __init__(self) -> None:
        self._frames: deque[tuple[float, str]] = deque()
        self._troubles: deque[float] = deque()
        self._pinged = self._answered = self._last = 0.0
        self._worn = False
        self._unreported = 0

    def started(self, now: float) -> None:
        """Note the start of a new process."""
        self._pinged = self._answered = self._last = now
        self._worn = False
        self._frames.clear()

    def heard(self, now: float, door: str = "") -> None:
        """Count a frame, about *door* or about none."""
        self._last = now
        self._frames.append((now, door))
        while now - self._frames[0][0] > _WINDOW:
            self._frames.popleft()

    def answered(self, pong: Pong, now: float) -> None:
        """Note the answer to a ping."""
        self._answered = now
        self._worn = pong.worn

    def to_ask(self, now: float) -> bool:
        """Return whether a ping is due; it then counts as sent."""
        if now - self._pinged <= _PING:
            return False
        self._pinged = now
        return True

    def to_end(self, doors: int, now: float) -> Sentence | None:
        """Return the reason to end the process of so many doors, ``None`` when there is none."""
        if len(self._frames) > _WINDOW * (FRAMES + FRAMES_PER_DOOR * doors):
            return self._flood()
        if now - self._answered > _SILENT:
            return _MUTE
        return _WORN if self._worn and now - self._last > _QUIET else None

    def _flood(self) -> Sentence:
        """Return the reason with the door most frames are about: a single flooding device is there."""
        door = Counter(door for _, door in self._frames).most_common(1)[0][0]
        return Message("rooms.message-flood-from-door", door=door) if door else _FLOOD

    def trouble(self, now: float) -> int | None:
        """Return the number of unreported troubles since the last report; ``None``: do not report this one either."""
        while self._troubles and now - self._troubles[0] > 60:
            self._troubles.popleft()
        if len(self._troubles) >= _TROUBLES:
            self._unreported += 1
            return None
        self._troubles.append(now)
        unreported, self._unreported = self._unreported, 0
        return unreported
