"""What may start a process again once it has ended: a system unit, a container, or a process that is not the person's.

    0::/system.slice/report.service                      the unit ``report.service``
    0::/system.slice/docker-3f2a….scope, /docker/3f2a…   the container ``3f2a…``
    its parent is somebody else's and not PID 1          that process: a loop, cron, a supervisor

Rules of this file: it names, and ends nothing. A name in ``/proc/PID/cgroup`` is what whoever made the group called it,
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
from rules.text import Text
from rules.visible import visible

_CONTAINER = re.compile(r"^(?:docker-|libpod-|cri-containerd-|crio-)?([0-9a-f]{64})(?:\.scope)?$")
_SHOWN = 20

Kind = Literal["unit", "container", "process"]


class Starter(NamedTuple):
    """What has started a process. ``pid`` is 0 unless it is a process itself."""

    kind: Kind
    name: str
    pid: int = 0

    @property
    def text(self) -> Text:
        """What a person reads."""
        name = visible(self.name)
        match self.kind:
            case "unit":
                return Text(f"system unit `{name}`", f"系统服务 `{name}`")
            case "container":
                return Text(f"container `{name[:12]}`", f"容器 `{name[:12]}`")
            case _:
                return Text(f"process {self.pid} `{name}`", f"进程 {self.pid} `{name}`")


def of_groups(text: str) -> Starter | None:
    """Return the unit or container that *text*, of ``/proc/PID/cgroup``, says a process is in."""
    paths = [line.split(":", 2) for line in text.splitlines() if line.count(":") >= 2]
    unified = [path for number, _, path in paths if number == "0"]
    named = [path for _, controllers, path in paths if controllers == "name=systemd"]
    for path in (*unified, *named, *(path for *_, path in paths)):
        parts = [part for part in path.split("/") if part]
        for part in reversed(parts):
            if found := _CONTAINER.match(part):
                return Starter("container", found[1])
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


def parent_of(process: Process, theirs: Iterable[int] = ()) -> Starter | None:
    """Return the process that started *process*, unless that is PID 1, gone, or one of *theirs*."""
    parent = process.parent
    if parent <= 1 or parent in frozenset(theirs):
        return None
    try:
        name = os.fsdecode(task_identity.read(f"/proc/{parent}/comm")).rstrip("\n")
    except OSError:
        return None
    return Starter("process", name, parent)


def of(process: Process, theirs: Iterable[int] = ()) -> Starter | None:
    """Return what may start *process* again: its unit or container, else whose child it is."""
    return unit_of(process.pid) or parent_of(process, theirs)


@dataclass(slots=True)
class StarterTally:
    """What started the processes that a step ended. Units are asked before the end, parents after it."""

    units: dict[int, Starter | None] = field(default_factory=dict)

    def note(self, pid: int) -> None:
        """Keep the unit of *pid*, which is about to be ended."""
        if pid not in self.units:
            self.units[pid] = unit_of(pid)

    def counted(self, killed: Mapping[int, Process]) -> dict[Starter, int]:
        """Return what started the processes *killed*, and how many of them each."""
        found: dict[Starter, int] = {}
        for pid, process in killed.items():
            starter = self.units.get(pid) or parent_of(process, killed)
            if starter is not None:
                found[starter] = found.get(starter, 0) + 1
        return found


def to_json(counted: Mapping[Starter, int]) -> list[dict[str, Any]]:
    """Return it as JSON, those that started the most first."""
    most = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]
    return [{"kind": one.kind, "name": visible(one.name), "pid": one.pid, "processes": count} for one, count in most]
