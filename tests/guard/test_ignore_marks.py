"""When data may pass unasked: only on a look that nothing has overtaken. A real loop, without a kernel's groups."""

import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent import shipped_packs
from agent.control.decider_client import DeciderConnection
from agent.guard import heartbeat, label_worker
from agent.guard.answer_loop import AnswerLoop
from agent.guard.journal import EntryJournal
from agent.guard.messages import ControlMessages
from agent.guard.policy import PolicySnapshot
from agent.kernel.fanotify import FanotifyGroups
from agent.kernel.subject import Tasks
from agent.log.append import Appender
from agent.runtime import channel
from agent.runtime.clock import AgentClock
from agent.runtime.home import Home
from agent.site.init import make

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")  # Python 3.12 on


@pytest.fixture
def decider(tmp_path: Path) -> Iterator[DeciderConnection]:
    home = Home(tmp_path / "home")
    make(home, shipped_packs.text("minimal"))
    ours, theirs = channel.pair()
    (opens, opening), (life, living), page = os.pipe(), os.pipe(), heartbeat.create()
    os.set_blocking(opens, False)
    clock, tasks = AgentClock(), Tasks(pidfd_info=False)
    with closing(Appender(home.log, "process")) as appender, closing(tasks):
        made = AnswerLoop(
            FanotifyGroups(opens, -1),
            theirs,
            PolicySnapshot(home),
            EntryJournal(appender, clock, "here"),
            clock,
            tasks,
            label_worker.fork((living, opens)),
            "here",
        )
        made.take_policy()
        serving = threading.Thread(
            target=made.run, args=(heartbeat.Heartbeat(page), life, ControlMessages(theirs, made).obey)
        )
        serving.start()
        try:
            yield DeciderConnection(channel.ChannelClient(ours))
        finally:
            os.close(living)
            serving.join(20)
            for fd in (opens, opening, life, page):
                os.close(fd)
            ours.close()
            theirs.close()


def test_a_look_counts_only_if_nothing_had_to_be_asked_about_again_since_it_began(decider: DeciderConnection) -> None:
    epoch, before = decider.stats()["epoch"], decider.silences()
    assert decider.silences() == before
    decider.epoch(epoch)  # somebody left a room: verdicts are others, and the epoch is the same
    assert not decider.quiet(epoch, before, ())
    assert decider.quiet(epoch, decider.silences(), ())


def test_whoever_may_look_is_told_when_everything_is_asked_about_again(decider: DeciderConnection) -> None:
    decider.unasked()
    decider.epoch(decider.stats()["epoch"])
    assert "flushed" in decider.unasked()
