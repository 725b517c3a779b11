"""One listening socket: connections are taken from it as they come, a few at a time.

Rules of this file: whoever waits in the kernel's line is soon out of it, with a place or without. From the socket that
everybody reaches no more is taken than a small part of the event loop's time does, however many come.
"""

import asyncio
import socket
from collections.abc import Callable

from agent.control.reception import arrivals
from agent.control.reception.budgets import BATCH

_BROKEN = 0.1  # seconds before it is tried again, when no connection can be taken: no descriptor or memory is left


class Entrance:
    """Hands each connection that comes to *arrive*, with the instant it came. Belongs to the event loop."""

    def __init__(
        self, listening: socket.socket, arrive: Callable[[socket.socket, float], None], *, rest: float = 0.0
    ) -> None:
        """*rest*: seconds between two batches."""
        self._listening = listening
        self._arrive = arrive
        self._rest = rest
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Take connections from now on."""
        self._timer = None
        self._loop.add_reader(self._listening, self._ready)

    def close(self) -> None:
        """Take none any more, and end those that wait in the line."""
        if self._timer:
            self._timer.cancel()
        self._loop.remove_reader(self._listening)
        self._listening.close()

    def _ready(self) -> None:
        since, rest = arrivals.found_now(), self._rest
        for _ in range(BATCH):
            try:
                end, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                rest = _BROKEN
                break
            self._arrive(end, since)
        if rest:
            self._loop.remove_reader(self._listening)
            self._timer = self._loop.call_later(rest, self.open)
