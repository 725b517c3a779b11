"""Who held files of an area before it was guarded: named, and ended where that is asked for.

A descriptor opened before the marks is never asked about by newer kernels (FMODE_NONOTIFY_PERM is fixed at open), and
nothing says that its owner was allowed. So everybody who holds something is named; who may not read it now is ended,
when the area's setting says so, or when the descriptor can only come from the moment between a mount and its cover.

Rules of this file: never the agent's own processes, never process 1. Whoever is ended stands in an entry first.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil

from agent.control.decider_client import DeciderClient
from agent.control.holder_verdicts import HolderVerdicts
from agent.guard.policy import PolicySnapshot
from agent.kernel import ending, labels
from agent.kernel.mountinfo import within
from agent.kernel.open_files import HeldFile, held
from agent.kernel.start_time import start_time
from agent.runtime.home import Home
from agent.site.context import Clock

_NAMED = 20  # processes in one entry; the count is complete
_HOLDING = frozenset({"fd", "map"})


class EarlierHolder(NamedTuple):
    """A process that held a file of an area before it was guarded. ``may``: it would be allowed to read it now."""

    pid: int
    started: int
    comm: str
    uid: int
    path: str
    files: int
    may: bool

    def to_json(self) -> dict[str, object]:
        """Return it as it stands in an entry."""
        return {name: getattr(self, name) for name in ("pid", "comm", "uid", "path", "files", "may")}


class AreaOnDevice(NamedTuple):
    """Where an area stands: the device of its filesystem, and its path."""

    device: int
    path: str


class EarlierHolders:
    """Looks, names and ends. Belongs to one thread."""

    def __init__(self, home: Home, decider: DeciderClient, clock: Clock) -> None:
        self._policy = PolicySnapshot(home)
        self._verdicts = HolderVerdicts(self._policy, clock)
        self._decider = decider

    def close(self) -> None:
        """Close what is kept of processes, and let go of the registry."""
        self._verdicts.close()
        self._policy.close()

    def look(self, areas: Mapping[str, AreaOnDevice]) -> dict[str, list[EarlierHolder]]:
        """Return who holds files of *areas*, by area: by the label of the file, else by its name."""
        self._policy.reload()
        self._verdicts.renew()
        found: dict[tuple[str, int], list[HeldFile]] = {}
        ours = our_processes()
        devices = {area.device for area in areas.values()}
        for item in held(devices) if devices else ():
            if item.how in _HOLDING and item.pid not in ours and item.pid > 1:
                name = _area_of(item, areas)
                if name is not None:
                    found.setdefault((name, item.pid), []).append(item)
        holders: dict[str, list[EarlierHolder]] = {}
        for (name, pid), items in found.items():
            if (holder := self._holder(name, pid, items)) is not None:
                holders.setdefault(name, []).append(holder)
        return holders

    def record(self, area: str, holders: Iterable[EarlierHolder], *, end: bool, why: str) -> tuple[EarlierHolder, ...]:
        """Write down who held files of *area*, then end those who may not, with *end*. Returns whom it has ended.

        Raises :class:`agent.errors.ShoumiError` when it cannot be written down; then nobody is ended.
        """
        known = tuple(holders)
        doomed = tuple(holder for holder in known if end and not holder.may)
        shown = [holder.to_json() for holder in (*doomed, *(one for one in known if one not in doomed))[:_NAMED]]
        fields = {"kind": "held-before", "area": area, "why": why, "processes": len(known), "ended": len(doomed)}
        self._decider.append({**fields, "holders": shown, "alarm": any(not holder.may for holder in known)})
        return tuple(holder for holder in doomed if ending.end(holder.pid, holder.started))

    def _holder(self, area: str, pid: int, items: list[HeldFile]) -> EarlierHolder | None:
        started = start_time(pid)
        with contextlib.suppress(OSError):
            comm = Path(f"/proc/{pid}/comm").read_bytes().strip().decode("utf-8", "backslashreplace")
            may = self._verdicts.all_may(pid, (area,))
            uid = Path(f"/proc/{pid}").stat().st_uid
            if started is not None:
                return EarlierHolder(pid, started, comm, uid, _path(items[0]), len(items), may)
        return None


def our_processes() -> frozenset[int]:
    """Return the holder, which started this process, and everything it has started."""
    holder = os.getppid()
    with contextlib.suppress(psutil.Error):  # the holder has just gone, and all of us with it
        return frozenset({holder, *(child.pid for child in psutil.Process(holder).children(recursive=True))})
    return frozenset({holder, os.getpid()})


def _area_of(item: HeldFile, areas: Mapping[str, AreaOnDevice]) -> str | None:
    with contextlib.suppress(OSError):
        label = labels.area_of(labels.read(item.link, follow=True))
        if label:
            return label if label in areas else None
        path = _path(item).removesuffix(" (deleted)")
        return next((name for name, area in areas.items() if within(path, area.path)), None)
    return None


def _path(item: HeldFile) -> str:
    with contextlib.suppress(OSError):
        return str(Path(item.link).readlink())
    return ""
