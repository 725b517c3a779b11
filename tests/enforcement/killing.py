"""Killing what a running agent is made of, and what must hold afterwards: for the tests and for the long rounds.

Rules of this file: only processes of the agent of the scene are killed, by pid.
"""

import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from agent.control.offboarding import worker_supervisor
from agent.demo.actors import attempt
from agent.log import verifier_supervisor
from tests.enforcement.load import Load
from tests.enforcement.scene import CLEARED, Scene, alive, until

CHILDREN = {"doors": "agent.doors", "departures": worker_supervisor.MODULE, "verifier": verifier_supervisor.MODULE}
FLOWING = 20  # opens that must have been let in since a death before it counts as survived


def documents(site: Scene, count: int) -> list[Path]:
    """Make *count* documents in the first area, as somebody who may."""
    paths = [site.plans / f"load{number}.txt" for number in range(count)]

    def making() -> None:
        for path in paths:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
            os.fchmod(fd, 0o644)
            os.write(fd, b"x" * 100)
            os.close(fd)

    assert attempt(CLEARED, making).allowed
    return paths


def successor(site: Scene, name: str) -> int | None:
    """Return the pid of a process of the agent by its name, ``None`` while there is none."""
    try:
        if name in CHILDREN:
            return child_of_control(site, name)
        return label_worker(site) if name == "labels" else site.site.process(name)
    except (LookupError, OSError):
        return None


def label_worker(site: Scene) -> int:
    """Return the pid of the label worker, the decider's only child. Raises ``LookupError`` without one."""
    for children in Path(f"/proc/{site.site.process('decider')}/task").glob("*/children"):
        for pid in children.read_text().split():
            return int(pid)
    raise LookupError("labels")


def child_of_control(site: Scene, name: str) -> int:
    """Return the pid of a child of the control process, one of :data:`CHILDREN`. Raises ``LookupError`` without one."""
    control = site.site.process("control")
    for children in Path(f"/proc/{control}/task").glob("*/children"):
        for pid in children.read_text().split():
            if CHILDREN[name].encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                return int(pid)
    raise LookupError(name)


def killed(site: Scene, names: Sequence[str]) -> dict[str, int]:
    """Kill these processes of the agent; return who they were."""
    dead = {}
    for name in names:
        found: list[int] = []
        until(lambda name=name, found=found: found.extend(filter(None, [successor(site, name)])) or found)
        with contextlib.suppress(ProcessLookupError):  # it went with the one before it
            os.kill(found[-1], signal.SIGKILL)
        dead[name] = found[-1]
    return dead


def everybody(site: Scene) -> list[int]:
    """Return the pids of the processes that end by themselves when their holder does."""
    return [site.site.process(name) for name in ("decider", "control", "watcher")]


def holder_killed(site: Scene) -> None:
    """Kill the holder; return when nobody of the agent is left: the next one must find what they leave, not them."""
    assert site.site.agent
    left = everybody(site)
    site.site.agent.kill()
    until(lambda: not any(map(alive, left)))


def survived(site: Scene, dead: dict[str, int], people: Load) -> None:
    """Wait until everybody who died has a successor, opens go through again, and the control process answers."""
    for name, pid in dead.items():
        until(lambda name=name, pid=pid: successor(site, name) not in (None, pid))
    before = people.count()
    until(lambda: people.count() > before + FLOWING)
    if "control" in dead:
        until(site.answers)


def verified(site: Scene) -> int:
    """Check that the log is one unbroken sequence, and return how long it is."""
    assert site.site.shoumi("log", "verify").returncode == 0
    numbers = [entry["seq"] for entry in site.site.entries()]
    assert numbers == list(range(1, len(numbers) + 1))
    return len(numbers)
