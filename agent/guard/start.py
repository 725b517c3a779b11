"""Start of a decider: the judged time, and the entries to record first.

Rules of this file: nothing here is on the open path. What cannot be recorded yet is owed, so a full log stops neither
the decider from denying nor the later record of its start.
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
    """Return the clock as its file and the last entry leave it: judged time continues from there."""
    present = read_clocks(boot_id(), synchronised=timex.synchronised())
    saved = clock_file.read(home.clock)
    timeline, steps = resumed(saved, _last_reading(appender, saved, present), present)
    agent_clock = AgentClock(timeline, synchronised=timex.synchronised)
    agent_clock.steps += steps
    return agent_clock


def first_entries(
    journal: EntryJournal, heartbeat: Heartbeat, clock: AgentClock, durability: str, died: dict[str, Any] | None
) -> None:
    """Record the agent's start, if no decider has yet, the last decider's death *died*, and the clock's steps."""
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
    """Return the clocks of the last entry, which holds eight characters of its boot's id."""
    if appender.last_time is None:
        return None
    mono, boot = appender.last_clocks or (0, "")
    candidates = (present.boot_id, saved.boot_id if saved else "")
    boots = [candidate for candidate in candidates if boot and candidate.startswith(boot)] or [boot]
    return Reading(nanoseconds(appender.last_time), mono * 1000, boots[0])


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # 2 MB, loaded by the first decider only

    try:
        return version("shoumi")
    except PackageNotFoundError:  # run from a checked-out tree
        return "?"
