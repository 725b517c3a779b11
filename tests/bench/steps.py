"""Where the decider's time goes: each step of one open by itself, driven directly over real descriptors.

Rules of this file: the best of many short runs, because what disturbs a run can only make it longer. The sum is less
than an open costs: the kernel's own work and two changes of process are not in it.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from agent.guard.identities import BUDGET_NS, Identities
from agent.guard.journal import EntryJournal
from agent.guard.objects import Objects, Root
from agent.guard.policy import PolicySnapshot
from agent.guard.programs import RegisteredPrograms
from agent.guard.verdicts import NEVER, VerdictCache
from agent.kernel import fanotify
from agent.kernel.program import FirstNamespaces
from agent.kernel.samba_program import SambaPrograms
from agent.kernel.subject import Tasks, pidfd_info_works
from agent.log.append import Appender
from agent.runtime.clock import AgentClock
from agent.runtime.home import Home
from rules.model import Action
from rules.text import Text
from tests.bench.machine import pinned_cpu
from tests.bench.rows import Row, microseconds
from tests.sentences import en, zh

_RUNS, _TIMES = 400, 100
_EVENT = 24  # bytes of an event's metadata


class Step(NamedTuple):
    """One thing the decider does for every open."""

    id: str
    what: Text
    act: Callable[[], object]


def rows() -> list[Row]:
    """Time every step on one processor."""
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {pinned_cpu()})
    try:
        with _steps() as steps:
            nothing = _best(lambda: None)
            return [_row(step, _best(step.act) - nothing) for step in steps]
    finally:
        os.sched_setaffinity(0, everywhere)


def _row(step: Step, took: float) -> Row:
    what = Text(f"step of the decider: {en(step.what)}", f"判定步骤：{zh(step.what)}")
    return Row(f"step.{step.id}", what, microseconds(took), numbers={"us": took / 1000})


@contextmanager
def _steps() -> Iterator[list[Step]]:
    with tempfile.TemporaryDirectory(prefix="shoumi-bench-") as made, ExitStack() as stack:
        folder = Path(made)
        document = folder / "计划1.txt"
        document.write_text("机密\n")
        (folder / "log").mkdir(mode=0o700)
        fd = os.open(document, os.O_RDONLY | os.O_CLOEXEC)
        stack.callback(os.close, fd)
        clock, objects, verdicts = AgentClock(), Objects(), VerdictCache("files1")
        objects.replace_roots([Root(os.fsencode(folder), "plans", 0, alone=False, enforced=True)])
        tasks = Tasks(pidfd_info=pidfd_info_works())
        stack.callback(tasks.close)
        policy = PolicySnapshot(Home(folder / "home"))
        policy.programs = RegisteredPrograms(asks_logins=True)  # whether anybody has let us in is known for a second
        who_is = Identities(tasks, policy, SambaPrograms(), FirstNamespaces(), most_ns=BUDGET_NS)
        appender = stack.enter_context(Appender(folder / "log", "process"))
        journal = EntryJournal(appender, clock, "files1")
        thing, who, now = objects.find(fd), tasks.identify(os.getpid()), clock.now()
        ruling = replace(verdicts.ruling(who, ("plans",), Action.OPEN, now), until=NEVER)
        verdicts._rulings[(verdicts._verdict_key(who), ("plans",), Action.OPEN)] = ruling  # noqa: SLF001 - kept
        text = b"%b,%b,%b" % (ruling.fields, who.fields, thing.fields)
        event = fanotify._METADATA.pack(  # noqa: SLF001 - as the kernel writes it
            _EVENT, fanotify.VERSION, 0, _EVENT, fanotify.FAN_OPEN_PERM, fd, os.getpid()
        )
        rule = partial(verdicts.ruling, who, thing.areas, Action.OPEN, now)
        yield [
            Step("event", Text("parse the event", "解析事件"), lambda: fanotify.events(event)),
            Step("object", Text("find the object and its path", "查找客体及其路径"), lambda: objects.find(fd)),
            Step("subject", Text("identify the thread", "识别线程"), lambda: who_is.of(os.getpid())),
            Step("ruling", Text("look up the verdict", "查找判定"), rule),
            Step("entry", Text("write the entry", "写入条目"), lambda: journal.accesses([text])),
        ]


def _best(act: Callable[[], object]) -> float:
    """Return the least nanoseconds one call took, over many runs."""
    best = float("inf")
    for _ in range(_RUNS):
        begun = time.perf_counter_ns()
        for _ in range(_TIMES):
            act()
        best = min(best, (time.perf_counter_ns() - begun) / _TIMES)
    return best
