"""The holder: owns the fanotify groups, so that no other process's death can open the gate (contract C3).

Closing the last descriptor of a group answers everything ALLOW and drops every mark; fanotify(7) knows no other end.
So the groups belong to a process that does nothing that could fail: it parses no policy, touches no network, reads no
registry. It starts the two processes that do the work, starts them again when they end, and denies in their place.

Rules of this file:
- never two readers: the kernel matches answers to events by descriptor *number* alone, so the holder reads a group
  only while no decider lives, and nobody else ever does;
- before a new decider starts, every number the dead one may have left unanswered is answered DENY;
- a decider that has not beaten for ``patience`` seconds is killed, for it may wake up later with an old verdict;
- the holder's own end hides the areas first, and a decider that loses its holder does the same.

Standard library only.
"""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple

from agent.guard import heartbeat
from agent.kernel import fanotify, fdstore
from agent.kernel.fanotify import DESCRIPTORS
from agent.runtime import channel

_TICK = 0.25
_TICK_ALONE = 0.02  # while the holder answers itself
_DEATH = 1.0  # seconds a killed process gets to disappear; one stuck in the kernel is left there and never answers
_READ = 4096


class Program(NamedTuple):
    """A child: its command line, to which ``name=fd`` words for the descriptors it inherits are added."""

    argv: tuple[str, ...]


class Child:
    """One of the two processes: started, watched, started again; ever more slowly while it keeps dying young."""

    _YOUNG = 1.0
    _SLOWEST = 5.0

    def __init__(self, program: Program, descriptors: dict[str, int]) -> None:
        self._program = program
        self._descriptors = descriptors
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._delay = 0.0

    @property
    def alive(self) -> bool:
        """Whether it was started and has not been buried."""
        return self._process is not None

    def ended(self) -> bool:
        """Bury it if it has ended; return whether it had."""
        if self._process is None or self._process.poll() is None:
            return False
        self._bury()
        return True

    def start(self) -> bool:
        """Start it, unless it died young a moment ago; return whether it was started."""
        now = time.monotonic()
        if now - self._started < self._delay:
            return False
        words = [f"{name}={fd}" for name, fd in self._descriptors.items()]
        self._process = subprocess.Popen(
            [*self._program.argv, *words],
            pass_fds=tuple(self._descriptors.values()),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the holder, which ends things in the right order
        )
        self._started = now
        return True

    def kill(self) -> None:
        """SIGKILL it and wait for its end; one that is stuck in the kernel is left behind, it runs no code any more."""
        if self._process is None:
            return
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_DEATH)
        self._bury()

    def terminate(self) -> None:
        """Ask it to end, give it a second, then :meth:`kill`."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_DEATH)
            self.kill()

    def _bury(self) -> None:
        self._process = None
        young = time.monotonic() - self._started < self._YOUNG
        self._delay = min(self._SLOWEST, self._delay * 2 + 0.05) if young else 0.0


class Holder:
    """Groups, heartbeat page, channel and the two children. One per agent.

    *hide* makes the areas unreachable; it must not raise. *patience* is in seconds.
    """

    def __init__(self, decider: Program, control: Program, patience: float, hide: Callable[[], None]) -> None:
        self._patience = patience
        self._hide = hide
        left = fdstore.taken()
        self._groups = {name: left[name] if name in left else fanotify.init() for name in ("open", "access")}
        fdstore.keep(self._groups)
        self._control_end, self._decider_end = channel.pair()
        page = heartbeat.create()
        self._beat = heartbeat.Heartbeat(page)
        life, self._life_held = os.pipe()  # children see its end when the holder is gone
        self._said, saying = os.pipe()
        self._decider = Child(
            decider, {**self._groups, "channel": self._decider_end.fileno(), "life": life, "heartbeat": page}
        )
        self._control = Child(
            control, {**self._groups, "channel": self._control_end.fileno(), "life": life, "say": saying}
        )
        self._stopping = False
        if left:
            self._sweep()  # what the reader of a predecessor left unanswered

    def run(self, announce: Callable[[str], None]) -> None:
        """Serve until SIGTERM, SIGINT or SIGHUP. *announce* gets each line the control process says."""
        wake, waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, _wake)
        try:
            while not self._stopping:
                self._tend()
                tick = _TICK if self._decider.alive else _TICK_ALONE
                readable, _, _ = select.select([wake, self._said], [], [], tick)
                if wake in readable:
                    os.read(wake, 512)
                if self._said in readable:
                    for line in os.read(self._said, _READ).decode("utf-8", "replace").splitlines():
                        announce(line)
                        fdstore.ready()
        finally:
            self._end()

    def _tend(self) -> None:
        if self._decider.ended():
            self._sweep()
        elif self._decider.alive and self._beat.age() > self._patience:
            self._decider.kill()
            self._sweep()
        if not self._decider.alive:
            self._beat.beat()  # patience counts from the start
            self._beat.add_start()
            if not self._decider.start():
                self._deny_waiting()
        self._control.ended()
        if not self._control.alive:
            self._control.start()

    def _sweep(self) -> None:
        for group in self._groups.values():
            self._beat.add_denied(fanotify.sweep(group, DESCRIPTORS))

    def _deny_waiting(self) -> None:
        for group in self._groups.values():
            self._beat.add_denied(fanotify.deny_waiting(group))

    def _end(self) -> None:
        self._hide()
        self._control.terminate()
        self._decider.kill()
        self._sweep()
        self._deny_waiting()  # whoever came in by a descriptor of the hidden tree; closing the groups would let it pass
        fdstore.drop(self._groups)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True


def _wake(_number: int, _frame: FrameType | None) -> None:
    """Let SIGCHLD end the select through the wakeup descriptor."""
