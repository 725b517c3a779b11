"""Whether the doors process is well: it answers, it does not say more than doors can, and it is not worn out.

Rules of this file: it looks and says why the process should be ended; it ends nothing. Instants are of the monotonic
clock and handed in.
"""

from collections import Counter, deque

from agent.doors.frames import Pong
from agent.doors.outbox import FRAMES, FRAMES_PER_DOOR
from rules.text import Text
from rules.visible import visible

_WINDOW = 10.0  # seconds over which frames are counted
_PING, _SILENT = 5.0, 20.0
_QUIET = 5.0  # seconds without a frame after which a worn process may be renewed
_TROUBLES = 60  # told per minute; what comes beyond them is only counted

_FLOOD = Text("it says more than its doors can{of}", "其发送的帧多于门所能产生的数量{of}")
_MOSTLY = Text(", most of it of `{door}`", "，主要来自 `{door}`")
_MUTE = Text("it does not answer", "没有应答")
_WORN = Text("it is renewed", "例行更新")


class FieldWatchdog:
    """One doors process after the other. Belongs to one thread."""

    def __init__(self) -> None:
        self._frames: deque[tuple[float, str]] = deque()
        self._troubles: deque[float] = deque()
        self._asked = self._answered = self._last = 0.0
        self._worn = False
        self._untold = 0

    def started(self, now: float) -> None:
        """A new process begins."""
        self._asked = self._answered = self._last = now
        self._worn = False
        self._frames.clear()

    def heard(self, now: float, door: str = "") -> None:
        """It said something, about *door* or about none."""
        self._last = now
        self._frames.append((now, door))
        while now - self._frames[0][0] > _WINDOW:
            self._frames.popleft()

    def answered(self, pong: Pong, now: float) -> None:
        """It answered."""
        self._answered = now
        self._worn = pong.worn

    def to_ask(self, now: float) -> bool:
        """Whether it is time to ask whether it is alive; asking is then taken as done."""
        if now - self._asked <= _PING:
            return False
        self._asked = now
        return True

    def to_end(self, doors: int, now: float) -> Text | None:
        """Return why the process of so many doors should be ended, ``None`` when it is well."""
        if len(self._frames) > _WINDOW * (FRAMES + FRAMES_PER_DOOR * doors):
            return self._flood()
        if now - self._answered > _SILENT:
            return _MUTE
        return _WORN if self._worn and now - self._last > _QUIET else None

    def _flood(self) -> Text:
        """Name the door most of it is of: if it is one device that floods, it is there."""
        door = Counter(door for _, door in self._frames).most_common(1)[0][0]
        of = Text(*(text.format(door=visible(door)) for text in (_MOSTLY.en, _MOSTLY.zh))) if door else Text("", "")
        return Text(_FLOOD.en.format(of=of.en), _FLOOD.zh.format(of=of.zh))

    def trouble(self, now: float) -> int | None:
        """Return how many troubles were not told since the last one that was; ``None``: nor should this one be."""
        while self._troubles and now - self._troubles[0] > 60:
            self._troubles.popleft()
        if len(self._troubles) >= _TROUBLES:
            self._untold += 1
            return None
        self._troubles.append(now)
        untold, self._untold = self._untold, 0
        return untold
