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

import os
import select
import signal
from collections.abc import Callable, Sequence
from types import FrameType

from agent.guard import heartbeat
from agent.kernel import fanotify, fdstore
from agent.kernel.fanotify import DESCRIPTORS
from agent.runtime import channel
from agent.runtime.supervisor import ProcessSupervisor, launcher

_TICK = 0.25
_TICK_ALONE = 0.02  # while the holder answers itself
_READ = 4096


class Holder:
    """Groups, heartbeat page, channel and the two children. One per agent.

    *decider* and *control* are command lines, to which ``name=fd`` words for the inherited descriptors are added.
    *hide* makes the areas unreachable; it must not raise. *patience* is in seconds.
    """

    def __init__(
        self, decider: Sequence[str], control: Sequence[str], patience: float, hide: Callable[[], None]
    ) -> None:
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
        shared = {**self._groups, "life": life}
        self._decider = ProcessSupervisor(
            launcher(decider, {**shared, "channel": self._decider_end.fileno(), "heartbeat": page})
        )
        self._control = ProcessSupervisor(
            launcher(control, {**shared, "channel": self._control_end.fileno(), "say": saying})
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
