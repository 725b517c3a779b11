"""A real answer loop in a thread of the test, on a group that the test has made."""

import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent import shipped_packs
from agent.control.decider_client import DeciderConnection
from agent.guard import heartbeat, label_worker, openers_page
from agent.guard.answer_loop import AnswerLoop
from agent.guard.journal import EntryJournal
from agent.guard.kept_openers import KeptOpeners
from agent.guard.messages import ControlMessages
from agent.guard.openers_page import OpenersPage
from agent.guard.policy import PolicySnapshot
from agent.kernel.fanotify import FanotifyGroups
from agent.kernel.subject import Tasks
from agent.log.append import Appender
from agent.runtime import channel
from agent.runtime.clock import AgentClock
from agent.runtime.home import Home
from agent.site.init import make


@contextmanager
def deciding(folder: Path, opens: int) -> Iterator[tuple[DeciderConnection, Home]]:
    """Yield the control process's end of the channel, and the home, of a loop that reads the group *opens*."""
    home = Home(folder / "home")
    make(home, shipped_packs.text("minimal"))
    ours, theirs = channel.pair()
    (life, living), page = os.pipe(), heartbeat.create()
    clock, tasks = AgentClock(), Tasks(pidfd_info=False)
    with closing(Appender(home.log, "process")) as appender, closing(tasks), closing(PolicySnapshot(home)) as policy:
        made = AnswerLoop(
            FanotifyGroups(opens, -1),
            theirs,
            policy,
            EntryJournal(appender, clock, "here"),
            clock,
            tasks,
            label_worker.fork((living, opens)),  # else it would keep what ends the loop
            "here",
            KeptOpeners(OpenersPage(openers_page.create())),
        )
        made.take_policy()
        serving = threading.Thread(
            target=made.run, args=(heartbeat.Heartbeat(page), life, ControlMessages(theirs, made).obey)
        )
        serving.start()
        try:
            yield DeciderConnection(channel.ChannelClient(ours)), home
        finally:
            os.close(living)
            serving.join(20)
            for fd in (life, page):
                os.close(fd)
            ours.close()
            theirs.close()
