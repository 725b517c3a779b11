"""Supervisor of the offboarding process: starts and watches it, sends notices, answers requests.

Rules of this file: a child that ends is restarted, with growing delay while it dies young. The socket pair outlives it,
so answers to a dead child are lost. It ends when this process has ended, and is killed when this one stops; its next
start resumes its work.
"""

import os
import select
import threading
from contextlib import suppress
from typing import Final

from agent.control.offboarding.channel import Answering, answer
from agent.runtime import channel
from agent.runtime.home import Home
from agent.runtime.supervisor import ProcessSupervisor, launcher, python

MODULE: Final = "agent.control.offboarding.worker"
_TICK = 0.25  # seconds


class WorkerSupervisor:
    """One child at a time. :meth:`serve` belongs to one thread, the others to any."""

    def __init__(self, home: Home, inherited: dict[str, int], answering: Answering) -> None:
        """Prepare; *inherited* are descriptors by name, for :mod:`agent.control.offboarding.worker`."""
        self._ours, child_end = channel.pair()
        self._child_end = child_end
        self._ours.setblocking(False)
        self._answering = answering
        argv = python(MODULE, str(home.root), f"holder={os.getppid()}")
        self._child = ProcessSupervisor(launcher(argv, {**inherited, "channel": child_end.fileno()}))
        self._stopped = threading.Event()

    def tell(self, case: str) -> None:
        """Notify that the rest of *case* can be done. If the buffer is full, the next sweep finds it."""
        with suppress(OSError):
            channel.send(self._ours, {"op": "finish", "case": case})

    def serve(self) -> None:
        """Start, answer and restart the child until :meth:`stop`. Raises :class:`FatalError`."""
        try:
            while not self._stopped.is_set():
                self._child.ended()
                self._child.start()
                if select.select([self._ours], [], [], _TICK)[0]:
                    self._answer()
        finally:
            self._child.kill()

    def stop(self) -> None:
        """End serving after the answer under way."""
        self._stopped.set()

    def close(self) -> None:
        """Close the socket pair, after serving has ended."""
        self._ours.close()
        self._child_end.close()

    def _answer(self) -> None:
        message = channel.receive(self._ours)
        if message:
            with suppress(OSError):  # the child has ended, or does not read
                channel.send(self._ours, answer(message, self._answering))
