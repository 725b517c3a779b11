"""The control process's side of the process of departures: it is started, watched, told and answered.

Rules of this file: a child that ends is started again, ever more slowly while it dies young. The pair outlives it, so
what a dead one asked is answered into the void. It ends by itself when this process is gone, and is simply killed when
this one stops: whatever it had in hand is taken up at its next start.
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
        self._ours, theirs = channel.pair()
        self._theirs = theirs
        self._ours.setblocking(False)
        self._answering = answering
        argv = python(MODULE, str(home.root), f"holder={os.getppid()}")
        self._child = ProcessSupervisor(launcher(argv, {**inherited, "channel": theirs.fileno()}))
        self._stopped = threading.Event()

    def tell(self, case: str) -> None:
        """Say that the rest of *case* can be done. One that has no room for it finds it by itself."""
        with suppress(OSError):
            channel.send(self._ours, {"op": "finish", "case": case})

    def serve(self) -> None:
        """Start the child, answer it and start it again, until :meth:`stop`. Raises :class:`FatalError`."""
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
        """Let go of the pair, once nobody serves any more."""
        self._ours.close()
        self._theirs.close()

    def _answer(self) -> None:
        message = channel.receive(self._ours)
        if message:
            with suppress(OSError):  # it is gone, or does not listen
                channel.send(self._ours, answer(message, self._answering))
