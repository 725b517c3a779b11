"""Starters: what may start a process again after it has ended: a system unit, a container, or another person's process.

    0::/system.slice/report.service                      the unit ``report.service``
    0::/system.slice/docker-3f2a….scope, /docker/3f2a…   the container ``3f2a…``
    its parent is another person's and not PID 1         that process: a loop, cron, a supervisor

Rules of this file: it names, and ends nothing. A name in ``/proc/PID/cgroup`` was chosen by the creator of the group,
so it is foreign text. A session and the person's own service manager are no starters: their own steps end them.
Sources: cgroups(7), systemd.unit(5), systemd.scope(5), proc_pid_status(5).
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from agent.kernel import task_identity
from agent.offboard.guardrails import Process
from rules.text import Message, Sentence
from rules.visible import visible

_CONTAINER = re.compile(r"^(?:docker-|libpod-|cri-containerd-|crio-)?([0-9a-f]{64})(?:\.scope)?$")
_SHOWN = 20

Kind = Literal["unit", "container", "process"]


class Starter(NamedTuple):
    """The starter of a process. ``pid`` is 0 unless it is a process itself."""

    kind: Kind
    name: str
    pid: int = 0

    @property
    def text(self) -> Sentence:
        """The sentence that names it."""
        name = visible(self.name)
        match self.kind:
            case "unit":
                return Message("offboard.system-unit", name=name)
            case "container":
                return Message("offboard.container", name=name[:12])
            case _:
                return Message("offboard.starter-process", pid=self.pid, name=name)


def of_groups(text: str) -> Starter | None:
    """Return the unit or container of a process from *text*, the contents of ``/proc/PID/cgroup``."""
    paths = [line.split(":", 2) for line in text.splitlines() if line.count(":") >= 2]
    unified = [path for number, _, path in paths if number == "0"]
    named = [path for _, controllers, path in paths if controllers == "name=systemd"]
    for path in (*unified, *named, *(path for *_, path in paths)):
        parts = [part for part in path.split("/") if part]
        for part in reversed(parts):
            if container := _CONTAINER.match(part):
                return Starter("container", container[1])
        if "user.slice" not in parts:
            for part in reversed(parts):
                if part.endswith(".service") and not part.startswith("user@"):
                    return Starter("unit", part)
    return None


def unit_of(pid: int) -> Starter | None:
    """Return the unit or container of process *pid*; ``None`` when there is none, or it has ended."""
    try:
        return of_groups(os.fsdecode(task_identity.read(f"/proc/{pid}/cgroup")))
    except OSError:
        return None


def parent_of(process: Process, own_pids: Iterable[int] = ()) -> Starter | None:
    """Return the process that started *process*, unless that is PID 1, gone, or one of *own_pids*."""
    parent = process.parent
    if parent <= 1 or parent in frozenset(own_pids):
        return None
    try:
        name = os.fsdecode(task_identity.read(f"/proc/{parent}/comm")).rstrip("\n")
    except OSError:
        return None
    return Starter("process", name, parent)


def of(process: Process, own_pids: Iterable[int] = ()) -> Starter | None:
    """Return what may start *process* again: its unit or container, else its parent."""
    return unit_of(process.pid) or parent_of(process, own_pids)


@dataclass(slots=True)
class StarterTally:
    """The starters of the processes that a step ended. Units are read before the end, parents after it."""

    units: dict[int, Starter | None] = field(default_factory=dict)

    def note(self, pid: int) -> None:
        """Keep the unit of *pid*, which is about to be ended."""
        if pid not in self.units:
            self.units[pid] = unit_of(pid)

    def counted(self, killed: Mapping[int, Process]) -> dict[Starter, int]:
        """Return the starters of the processes *killed*, with the number of processes each started."""
        counts: dict[Starter, int] = {}
        for pid, process in killed.items():
            starter = self.units.get(pid) or parent_of(process, killed)
            if starter is not None:
                counts[starter] = counts.get(starter, 0) + 1
        return counts


def to_json(counted: Mapping[Starter, int]) -> list[dict[str, Any]]:
    """Return it as JSON, those that started the most first."""
    most = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))[:_SHOWN]
    return [
        {"kind": starter.kind, "name": visible(starter.name), "pid": starter.pid, "processes": count}
        for starter, count in most
    ]
