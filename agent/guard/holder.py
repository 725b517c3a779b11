"""The holder: owner of the fanotify groups, so that no other process's death can open the gate (contract C3).

Closing the last descriptor of a group answers everything ALLOW and drops every mark; fanotify(7) knows no other end.
So the groups belong to a process with as few causes of failure as possible: it parses no policy, uses no network, reads
no registry. It starts the three working processes, restarts them when they end, and denies in their place.

Rules of this file:
- never two readers: the kernel matches answers to events by descriptor *number* alone, so a decider reads a group only
  after the holder has given it the turn, the holder only while no decider has it, and no other process ever does;
- before a new decider starts, every number the dead one may have left unanswered is answered DENY;
- whenever no decider has beaten for ``patience`` seconds the holder denies, whether one is being started or not;
- a decider that had its turn and has not beaten for so long is killed, for it could resume with an old verdict;
- before anything is marked, every existing area is covered; the control process uncovers what it has proven guarded;
- the holder's own end hides the areas first, and a decider that loses its holder does the same;
- where every area is only observed, the holder allows what it would deny;
- the cause of a child's death is reported, and passed to its successor, which records it (``last_death``);
- a line is announced only when the reader takes it: a full pipe stops nothing.

Standard library only.
"""

import os
import select
import signal
from collections.abc import Callable, Sequence
from types import FrameType

from agent.guard import heartbeat, openers_page, turns
from agent.guard.mount_watcher import cover_exposed
from agent.kernel import cover, fanotify, fdstore
from agent.kernel.fanotify import DESCRIPTORS
from agent.runtime import channel, last_death
from agent.runtime.home import Home
from agent.runtime.saying import say
from agent.runtime.supervisor import ProcessSupervisor, launcher

_TICK = 0.25
_TICK_ALONE = 0.02  # while the holder answers itself
_READ = 4096
_STARTING = 60.0  # seconds a decider may take to request its turn; one that was stopped meanwhile is replaced


class Holder:
    """Groups, heartbeat page, channels and the three children. One per agent.

    *decider*, *control* and *watcher* are command lines, to which ``name=fd`` words for the inherited descriptors are
    added. *home* has the list of the areas to hide (:mod:`agent.kernel.cover`). *patience* is in seconds.
    """

    def __init__(
        self,
        decider: Sequence[str],
        control: Sequence[str],
        watcher: Sequence[str],
        patience: float,
        home: Home,
    ) -> None:
        self._patience = patience
        self._home = home
        inherited = fdstore.taken()
        self._groups = {name: inherited[name] if name in inherited else fanotify.init() for name in ("open", "access")}
        openers = inherited["openers"] if "openers" in inherited else openers_page.create()
        self._stored = {**self._groups, "openers": openers}
        fdstore.keep(self._stored)
        if not inherited:
            cover_exposed(home)  # nothing carries a mark yet
        self._control_end, self._decider_end = channel.pair()
        self._watch_end, self._watchers_end = channel.pair()
        page = heartbeat.create()
        self._beat = heartbeat.Heartbeat(page)
        self._beat.beat()  # until the first decider beats, patience counts from here
        self._turn, their_turn = turns.pair()
        self._serving = False  # a decider has the turn
        life, self._life_held = os.pipe()  # children see its end when the holder is gone
        self._announcements, saying = os.pipe()
        shared = {**self._groups, "life": life}
        self._decider = ProcessSupervisor(
            launcher(
                decider,
                {
                    **shared,
                    "channel": self._decider_end.fileno(),
                    "heartbeat": page,
                    "openers": openers,
                    "turn": their_turn.fileno(),
                },
                lambda: last_death.arguments(self._decider.died),
            )
        )
        self._control = ProcessSupervisor(
            launcher(
                control,
                {
                    **shared,
                    "channel": self._control_end.fileno(),
                    "say": saying,
                    "watch": self._watch_end.fileno(),
                },
                lambda: last_death.arguments(self._control.died),
            )
        )
        us = (str(os.getpid()), str(self._groups["open"]))
        self._watcher = ProcessSupervisor(
            launcher((*watcher, *us), {"channel": self._watchers_end.fileno(), "life": life})
        )
        self._their_turn = their_turn
        self._reported = {"decider": 0, "control": 0, "watcher": 0}  # deaths already reported
        self._unsaid: str | None = None
        self._stopping = False
        if inherited:
            self._sweep()  # events that the predecessor's reader left unanswered

    def run(self, announce: Callable[[str], bool]) -> None:
        """Serve until SIGTERM, SIGINT or SIGHUP. *announce* gets each line of the control process.

        It returns, without waiting, whether the line was taken; one that was not is announced again.
        """
        wake, waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, _wake)
        try:
            while not self._stopping:
                self._tend()
                tick = _TICK if self._serving else _TICK_ALONE
                readable, _, _ = select.select([wake, self._announcements, self._turn.fileno()], [], [], tick)
                if wake in readable:
                    os.read(wake, 512)
                if self._announcements in readable:
                    for line in os.read(self._announcements, _READ).decode("utf-8", "replace").splitlines():
                        self._unsaid = line
                        fdstore.ready()
                if self._unsaid is not None and announce(self._unsaid):
                    self._unsaid = None
        finally:
            self._end()

    def _tend(self) -> None:
        silent = self._beat.age() > self._patience
        if self._decider.ended():
            self._taken_back()
        elif self._serving and silent:
            self._decider.kill()
            self._taken_back()
        elif not self._serving and self._decider.age() > _STARTING:
            self._decider.kill()
        if self._decider.due():
            self._beat.add_start()  # before it starts: it asks with this number
            self._decider.start()
        if not self._serving and turns.has_asked(self._turn, self._beat.starts()) and self._decider.alive:
            self._serving = True
            self._beat.beat()
            turns.give(self._turn, self._beat.starts())
        elif not self._serving and silent:
            self._deny_waiting()
        for child in (self._control, self._watcher):
            child.ended()
            child.start()
        self._say_deaths()

    def _say_deaths(self) -> None:
        for name, child in (("decider", self._decider), ("control", self._control), ("watcher", self._watcher)):
            if (died := child.died) and died.number > self._reported[name]:
                self._reported[name] = died.number
                wait = max(0.0, child.delay - died.lived)
                next_one = f"started again after {wait:.1f} s" if wait else "started again"
                ours = " by the holder" if died.ours else ""
                say(f"shoumi holder: {name} {died.pid} died ({died.how}{ours}) after {died.lived:.1f} s; {next_one}")

    def _taken_back(self) -> None:
        """Take the turn back from a decider that ended, and answer the events it left unanswered."""
        self._serving = False
        self._sweep()

    def _sweep(self) -> None:
        for group in self._groups.values():
            self._beat.add_denied(fanotify.sweep(group, DESCRIPTORS, self._response()))

    def _deny_waiting(self) -> None:
        for group in self._groups.values():
            self._beat.add_denied(fanotify.answer_waiting(group, self._response()))

    def _response(self) -> int:
        return fanotify.FAN_ALLOW if self._beat.watching() else fanotify.FAN_DENY

    def _end(self) -> None:
        self._control.terminate()  # first: it takes covers off; until they are on, the decider answers
        cover.hide_all(self._home.covers)
        self._decider.terminate()  # it records that it was stopped
        self._sweep()
        self._deny_waiting()  # openers through descriptors of the hidden tree; closing the groups would allow them
        self._watcher.kill()
        fdstore.drop(self._stored)
        ours = (self._control_end, self._watch_end, self._turn)
        for end in (*ours, self._decider_end, self._watchers_end, self._their_turn):
            end.close()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True


def _wake(_number: int, _frame: FrameType | None) -> None:
    """Make SIGCHLD end the select through the wakeup descriptor."""
