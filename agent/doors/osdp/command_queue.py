"""Command queue of one reader, which hands libosdp one command at a time.

Rules of this file: pure, *now* is seconds of a steady clock. One command is with libosdp at a time, so that a
completion can belong to one only, a strike goes before any light, and no command waits where it could not be withdrawn:
libosdp keeps what is queued for a reader that goes offline and sends it when the reader returns. Every command is
answered exactly once.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agent.doors.osdp.command import OsdpCommand
from rules.text import Message

PATIENCE: Final = 2.0  # seconds after which a command is void: the person has left
_MOST: Final = 32  # waiting for one reader

Answer = Callable[[bool, Message | None], None]

LATE = Message("doors.command-timeout")
FAILED = Message("doors.command-failed")
DROPPED = Message("doors.command-withdrawn")
AWAY = Message("doors.reader-offline")
TOO_MANY = Message("doors.command-queue-full")
UNABLE = Message("doors.command-unsupported")


@dataclass(frozen=True, slots=True)
class QueuedCommand:
    """A command, its deadline, and the callback for its answer."""

    command: OsdpCommand
    until: float
    answer: Answer


class CommandQueue:
    """The commands of one reader. For one thread."""

    def __init__(self) -> None:
        self._waiting: deque[QueuedCommand] = deque()
        self._out: QueuedCommand | None = None
        self._withdrawn = False  # the submitted command was answered already

    @property
    def out(self) -> bool:
        """Whether libosdp has a command it has not completed."""
        return self._out is not None

    def add(self, order: QueuedCommand, *, first: bool = False) -> None:
        """Queue a command; with *first* it goes before the waiting ones."""
        if len(self._waiting) >= _MOST and not first:
            order.answer(False, TOO_MANY)
        elif first:
            self._waiting.appendleft(order)
        else:
            self._waiting.append(order)

    def next(self, now: float) -> OsdpCommand | None:
        """Return the command to submit now, which counts as submitted from here on; ``None`` when there is none."""
        while self._waiting and self._waiting[0].until <= now:
            self._waiting.popleft().answer(False, LATE)
        if self._out is not None or not self._waiting:
            return None
        self._out, self._withdrawn = self._waiting.popleft(), False
        return self._out.command

    def overdue(self, now: float) -> bool:
        """Return whether the submitted command must be withdrawn. It is answered here, and completed later."""
        if self._out is None or self._withdrawn or now < self._out.until:
            return False
        self._withdrawn = True
        self._out.answer(False, LATE)
        return True

    def completed(self, *, ok: bool, reason: Message = FAILED) -> None:
        """Note that libosdp has completed the submitted command."""
        order, self._out = self._out, None
        if order is not None and not self._withdrawn:
            order.answer(ok, None if ok else reason)

    def drop(self, reason: Message = DROPPED) -> None:
        """Answer every waiting command with *reason*; the submitted one is completed by libosdp."""
        waiting = list(self._waiting)
        self._waiting.clear()
        for order in waiting:
            order.answer(False, reason)
