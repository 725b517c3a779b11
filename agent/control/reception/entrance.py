"""Entrance: one listening socket, from which connections are accepted in small batches.

Rules of this file: the kernel's backlog is drained quickly, whether or not there is a place. Accepting from the public
socket takes only a small share of the event loop's time, however many connect.
"""

import asyncio
import socket
from collections.abc import Callable

from agent.control.reception import arrivals
from agent.control.reception.budgets import BATCH

_BROKEN = 0.1  # seconds until the next attempt when accept fails for lack of descriptors or memory


class Entrance:
    """Passes each new connection to *arrive*, with its arrival. Belongs to the event loop."""

    def __init__(
        self, listening: socket.socket, arrive: Callable[[socket.socket, float], None], *, pause: float = 0.0
    ) -> None:
        """*pause*: seconds between two batches."""
        self._listening = listening
        self._arrive = arrive
        self._pause = pause
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Start accepting connections."""
        self._timer = None
        self._loop.add_reader(self._listening, self._ready)

    def close(self) -> None:
        """Stop accepting, and drop the backlog."""
        if self._timer:
            self._timer.cancel()
        self._loop.remove_reader(self._listening)
        self._listening.close()

    def _ready(self) -> None:
        since, pause = arrivals.found_now(), self._pause
        for _ in range(BATCH):
            try:
                end, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                pause = _BROKEN
                break
            self._arrive(end, since)
        if pause:
            self._loop.remove_reader(self._listening)
            self._timer = self._loop.call_later(pause, self.open)
