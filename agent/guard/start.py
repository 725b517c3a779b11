"""What a decider finds when it starts: what time it is judged to be, and what has to be recorded first.

Rules of this file: nothing of it is on the path of an open. What cannot be recorded yet is owed, so a full log keeps
neither the decider from denying, nor the record from saying later when it began.
"""

import os
from typing import Any

from agent.guard.heartbeat import Heartbeat
from agent.guard.journal import EntryJournal
from agent.kernel import timex
from agent.log.append import Appender
from agent.runtime import clock_file
from agent.runtime.clock import AgentClock, boot_id, nanoseconds, read_clocks
from agent.runtime.home import Home
from agent.runtime.timeline import Reading, Timeline, resumed


def clock(home: Home, appender: Appender) -> AgentClock:
    """Return the clock, as its file and the last entry leave it: judged time goes on from where it was."""
    present = read_clocks(boot_id(), synchronised=timex.synchronised())
    saved = clock_file.read(home.clock)
    timeline, steps = resumed(saved, _last_reading(appender, saved, present), present)
    found = AgentClock(timeline, synchronised=timex.synchronised)
    found.steps += steps
    return found


def first_entries(
    journal: EntryJournal, heartbeat: Heartbeat, clock: AgentClock, durability: str, died: dict[str, Any] | None
) -> None:
    """Record that the agent was started, if no decider has yet; of what the last one *died*; and how the clock is."""
    if not heartbeat.on_record():
        host = {"boot_id": clock.boot_id, "kernel": os.uname().release}
        if journal.owe({"kind": "started", **host, "version": _version(), "durability": durability}):
            heartbeat.set_on_record()
    if died:
        journal.owe(died)
    journal.owe({"kind": "decider-started", "start": heartbeat.starts(), "denied_meanwhile": heartbeat.denied()})
    while clock.steps:
        journal.step(clock.steps.pop(0))


def _last_reading(appender: Appender, saved: Timeline | None, present: Reading) -> Reading | None:
    """Return what the clocks were at the last entry, which knows eight characters of its boot's id."""
    if appender.last_time is None:
        return None
    mono, boot = appender.last_clocks or (0, "")
    known = (present.boot_id, saved.boot_id if saved else "")
    boots = [one for one in known if boot and one.startswith(boot)] or [boot]
    return Reading(nanoseconds(appender.last_time), mono * 1000, boots[0])


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # 2 MB, which only the first decider has to bear

    try:
        return version("shoumi")
    except PackageNotFoundError:  # run from a checked-out tree
        return "?"
