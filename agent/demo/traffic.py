"""Traffic: the decider is killed repeatedly during accesses, and no one without access gets in (contracts C2, C3).

Rules of this file: the openers count their own results; afterwards the log is searched for exactly these processes. An
open that waits while no decider runs is denied in the end, or decided by the next decider.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from agent.demo.actors import Actor, ActorIdentity, acting
from agent.demo.record import LogPosition
from agent.demo.shared import Numbers, wait_until
from agent.demo.site import Traffic
from agent.demo.stage import DemoStage

_KILLS = 5
_BETWEEN = 150  # opens that must have been let in since a kill, so that a decider lives, before the next one
PATIENCE = 15.0
_PACE = 0.001  # seconds between two opens of one opener: traffic, not a flood that would fill the disk


def killing(
    stage: DemoStage, record: LogPosition, document: Path, cleared: list[ActorIdentity], uncleared: list[ActorIdentity]
) -> Traffic:
    """Kill the decider of *stage* while *cleared* people and *others* open *document*, two processes each."""
    record.fresh()
    openers = [*cleared, *cleared, *uncleared, *uncleared]
    opened = Numbers(2 * len(openers))
    with ExitStack() as stack:
        actors = [
            stack.enter_context(acting(identity, _opening(document, opened, number)))
            for number, identity in enumerate(openers)
        ]
        kills = sum(_kill(stage, opened, len(openers)) for _ in range(_KILLS))
        opened.end()
        for actor in actors:
            actor.next(PATIENCE)
    return _measurement(kills, opened, actors, 2 * len(cleared), record)


def _opening(document: Path, opened: Numbers, number: int) -> Callable[[Callable[[object], None]], None]:
    """Return an act that opens and closes until the end, and counts: even indexes allowed, odd ones denied."""

    def act(say: Callable[[object], None]) -> None:
        while not opened.over:
            try:
                os.close(os.open(document, os.O_RDONLY | os.O_CLOEXEC))
                opened[2 * number] += 1
            except PermissionError:
                opened[2 * number + 1] += 1
            time.sleep(_PACE)
        say("over")

    return act


def _kill(stage: DemoStage, opened: Numbers, openers: int) -> bool:
    """Kill the decider during accesses, and wait until a new one decides again."""

    def let_in() -> int:
        return sum(opened[2 * number] for number in range(openers))

    if not wait_until(lambda: let_in() >= _BETWEEN, PATIENCE):
        return False
    before = let_in()
    if not wait_until(lambda: _killed(stage), PATIENCE):
        return False
    return wait_until(lambda: let_in() >= before + _BETWEEN, PATIENCE)


def _killed(stage: DemoStage) -> bool:
    """Kill the decider; return whether there was one: on a slow machine the holder may be replacing it just now."""
    try:
        os.kill(stage.process("decider"), signal.SIGKILL)
    except (LookupError, ProcessLookupError):
        return False
    return True


def _measurement(kills: int, opened: Numbers, actors: list[Actor], cleared: int, record: LogPosition) -> Traffic:
    entries = record.fresh()
    recorded = Counter(e["pid"] for e in entries if e["kind"] == "access" and e["verdict"] == "allow")
    allowed = [opened[2 * number] for number in range(len(actors))]
    refused = [opened[2 * number + 1] for number in range(len(actors))]
    missing = [max(0, count - recorded[actor.pid]) for count, actor in zip(allowed, actors, strict=True)]
    return Traffic(
        kills=kills,
        restarts=sum(entry["kind"] == "decider-started" for entry in entries),
        allowed=sum(allowed[:cleared]),
        refused=sum(refused[:cleared]),
        unrecorded=sum(missing),
        leaked=sum(allowed[cleared:]) + sum(recorded[actor.pid] for actor in actors[cleared:]),
        turned_away=sum(refused[cleared:]),
    )
