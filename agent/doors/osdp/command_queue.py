"""What one reader is still to be told, one command at a time.

Rules of this file: pure, *now* is seconds of a steady clock. One command is with libosdp at a time, so that a
completion can belong to one only, a strike goes before any lamp, and nothing waits where it could not be taken back:
libosdp keeps what is queued for a reader that goes away and sends it when the reader returns. Every order is answered
exactly once.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agent.doors.osdp.command import OsdpCommand
from rules.text import Text

PATIENCE: Final = 2.0  # seconds after which a command is worth nothing: the person has gone
_MOST: Final = 32  # waiting for one reader

Answer = Callable[[bool, Text | None], None]

LATE = Text("the reader did not acknowledge it in time, and it was withdrawn", "读卡器未及时确认，命令已撤回")
FAILED = Text("the reader did not do it", "读卡器未执行该命令")
DROPPED = Text("it was withdrawn before it went out", "命令在发出前已撤回")
AWAY = Text("the reader is not there", "读卡器不在线")
TOO_MANY = Text("too many commands wait for the reader", "等待该读卡器的命令过多")
UNABLE = Text("the reader cannot do that", "读卡器不支持该功能")


@dataclass(frozen=True, slots=True)
class QueuedCommand:
    """A command, until when it is worth sending, and who wants to know."""

    command: OsdpCommand
    until: float
    answer: Answer


class CommandQueue:
    """The orders of one reader. For one thread."""

    def __init__(self) -> None:
        self._waiting: deque[QueuedCommand] = deque()
        self._out: QueuedCommand | None = None
        self._withdrawn = False  # the one that is out was answered already

    @property
    def out(self) -> bool:
        """Whether libosdp has one that it has not completed."""
        return self._out is not None

    def add(self, order: QueuedCommand, *, first: bool = False) -> None:
        """Take an order; the *first* of its kind goes before what waits."""
        if len(self._waiting) >= _MOST and not first:
            order.answer(False, TOO_MANY)
        elif first:
            self._waiting.appendleft(order)
        else:
            self._waiting.append(order)

    def next(self, now: float) -> OsdpCommand | None:
        """Return what is to be submitted now and counts as out from here on; ``None``: nothing."""
        while self._waiting and self._waiting[0].until <= now:
            self._waiting.popleft().answer(False, LATE)
        if self._out is not None or not self._waiting:
            return None
        self._out, self._withdrawn = self._waiting.popleft(), False
        return self._out.command

    def overdue(self, now: float) -> bool:
        """Return whether the one that is out has to be taken back. It is answered here, and completed later."""
        if self._out is None or self._withdrawn or now < self._out.until:
            return False
        self._withdrawn = True
        self._out.answer(False, LATE)
        return True

    def completed(self, *, ok: bool, why: Text = FAILED) -> None:
        """Take note that libosdp is done with the one that is out."""
        order, self._out = self._out, None
        if order is not None and not self._withdrawn:
            order.answer(ok, None if ok else why)

    def drop(self, why: Text = DROPPED) -> None:
        """Answer everything that waits; what is out is completed by libosdp."""
        waiting = list(self._waiting)
        self._waiting.clear()
        for order in waiting:
            order.answer(False, why)
