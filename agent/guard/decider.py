"""The decider process: ``python -I -m agent.guard.decider HOME DURABILITY name=fd …``, started by the holder.

    open, access   the fanotify groups        channel   one end of the pair to the control process
    turn           requests the right to read the groups from the holder (``turns``)
    openers        memory of the openers of files in server processes (``openers_page``)
    heartbeat      the page shared with the holder      life   end of file when the holder has ended

Order of the start: the label worker is forked, before anything is open that must not outlive this process → the log is
opened → rules and areas are read → the holder gives the turn → the loop. Until then the holder answers.

Rules of this file: a log that cannot be opened yet (a dying decider still has its lock, the disk is full or read-only)
is retried, and nothing is read from the groups meanwhile: the holder denies.
"""

import contextlib
import os
import resource
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from agent.confinement import process_rights
from agent.confinement.confine import confine
from agent.errors import FatalError, ShoumiError
from agent.guard import label_worker, start, turns
from agent.guard.answer_loop import AnswerLoop
from agent.guard.heartbeat import Heartbeat
from agent.guard.journal import EntryJournal
from agent.guard.kept_openers import KeptOpeners
from agent.guard.messages import ControlMessages
from agent.guard.openers_page import OpenersPage
from agent.guard.policy import PolicySnapshot
from agent.kernel import cover, fanotify
from agent.kernel.fanotify import DESCRIPTORS, FanotifyGroups
from agent.kernel.subject import Tasks, pidfd_info_works
from agent.language.catalogue import localized
from agent.log.append import Appender
from agent.runtime import channel, last_death
from agent.runtime.clock_file import ClockKeeper
from agent.runtime.home import Home
from agent.runtime.saying import say
from rules.text import NOTHING, Sentence

_LAST_STAND = 2.0  # seconds
_LAST_WRITE = 0.3  # … for the clock's file, while the holder waits for this process to end
_AGAIN = 0.25  # seconds between two attempts to open the log


def main(argv: list[str]) -> int:
    """Run until the holder is gone; return the exit code."""
    home, durability = Home(Path(argv[0])), argv[1]
    arguments = dict(argument.split("=", 1) for argument in argv[2:])
    died = last_death.entry("decider", arguments)
    fds = {name: int(fd) for name, fd in arguments.items() if name != last_death.NAME}
    life = fds["life"]
    most = min(DESCRIPTORS, resource.getrlimit(resource.RLIMIT_NOFILE)[1] % 2**64)  # no bound is -1
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    worker = label_worker.fork(tuple(fds.values()))
    confine(process_rights.DECIDER, say)
    try:
        appender = _opened(home, durability, life)
        if appender is not None:
            with contextlib.ExitStack() as opened:
                _decide(home, durability, appender, worker, fds, opened, died)
    except (FatalError, ShoumiError) as error:
        say(f"shoumi decider: {localized(error.text, 'en')}")
        return 1
    finally:
        worker.kill()
        if _holder_is_gone(life):
            _last_stand(home, (fds["open"], fds["access"]))
    return 0


def _decide(
    home: Home,
    durability: str,
    appender: Appender,
    worker: label_worker.LabelWorkerClient,
    fds: dict[str, int],
    opened: contextlib.ExitStack,
    died: dict[str, Any] | None,
) -> None:
    host = os.uname().nodename
    heartbeat = Heartbeat(fds["heartbeat"])
    clock, keeper = start.clock(home, appender), ClockKeeper(home.clock)
    keeper.keep(clock.timeline)
    journal = EntryJournal(appender, clock, host)
    control = opened.enter_context(socket.socket(fileno=fds["channel"]))
    turn = opened.enter_context(socket.socket(fileno=fds["turn"]))
    tasks = Tasks(pidfd_info=pidfd_info_works())
    groups = FanotifyGroups(fds["open"], fds["access"])
    policy = PolicySnapshot(home, only_observes=heartbeat.watching())
    opened.callback(policy.close)
    openers = KeptOpeners(OpenersPage(fds["openers"]))
    loop = AnswerLoop(groups, control, policy, journal, clock, tasks, worker, host, openers, keeper)
    signal.signal(signal.SIGTERM, lambda _number, _frame: setattr(loop, "stopping", True))
    loop.take_policy()
    heartbeat.set_watching(loop.policy.only_observes)
    if not turns.take(turn, heartbeat.starts(), fds["life"]):
        return
    heartbeat.beat()
    start.first_entries(journal, heartbeat, clock, durability, died)
    with contextlib.suppress(OSError):
        channel.send(control, {"op": "hello"})
    loop.run(heartbeat, fds["life"], ControlMessages(control, loop).obey)
    if loop.stopping:
        journal.owe({"kind": "stopped"})
        keeper.keep(clock.timeline)
        keeper.close(_LAST_WRITE)


def _opened(home: Home, durability: str, life: int) -> Appender | None:
    """Open the log, retrying until it works; ``None`` when the holder ends before that."""
    reported: Sentence = NOTHING
    while True:
        try:
            return Appender(home.log, "process" if durability == "process" else "power")
        except (FatalError, ShoumiError) as error:
            if error.text != reported:
                reported = error.text
                say(f"shoumi decider: {localized(reported, 'en')}")
        if select.select([life], [], [], _AGAIN)[0]:
            return None


def _last_stand(home: Home, groups: tuple[int, ...]) -> None:
    """Hide the areas, then deny all waiting events, until the control process has closed the groups too.

    The last process to close a group allows everything that waits in it. That must be this one, with nothing waiting.
    """
    cover.hide_all(home.covers)
    deadline = time.monotonic() + _LAST_STAND
    while (remaining := deadline - time.monotonic()) > 0:
        select.select(groups, [], [], remaining)
        for group in groups:
            fanotify.deny_waiting(group)


def _holder_is_gone(life: int) -> bool:
    return bool(select.select([life], [], [], 0)[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
