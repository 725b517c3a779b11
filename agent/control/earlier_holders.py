"""Earlier holders: processes that held files of an area before it was guarded; they are named, and ended if so set.

A descriptor opened before the marks raises no event on newer kernels (FMODE_NONOTIFY_PERM is fixed at open), and
nothing proves that its owner was allowed. So every holder process is named; one that may not read the file now is ended
when the area's setting says so, or when the descriptor can only come from the moment between a mount and its cover.

Rules of this file: never the agent's own processes, never process 1. A process is recorded in an entry before it is
ended.
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
    """Location of an area: the device of its filesystem, and its path."""

    device: int
    path: str


class EarlierHolders:
    """Finds, records and ends earlier holders. Belongs to one thread."""

    def __init__(self, home: Home, decider: DeciderClient, clock: Clock) -> None:
        self._policy = PolicySnapshot(home)
        self._verdicts = HolderVerdicts(self._policy, clock)
        self._decider = decider

    def close(self) -> None:
        """Release process handles and the registry."""
        self._verdicts.close()
        self._policy.close()

    def survey(self, areas: Mapping[str, AreaOnDevice]) -> dict[str, list[EarlierHolder]]:
        """Return the holders of files of *areas*, by area; the label of a file decides, else its path."""
        self._policy.reload()
        self._verdicts.renew()
        held_files: dict[tuple[str, int], list[HeldFile]] = {}
        ours = our_processes()
        devices = {area.device for area in areas.values()}
        for held_file in held(devices) if devices else ():
            if held_file.how in _HOLDING and held_file.pid not in ours and held_file.pid > 1:
                name = _area_of(held_file, areas)
                if name is not None:
                    held_files.setdefault((name, held_file.pid), []).append(held_file)
        holders: dict[str, list[EarlierHolder]] = {}
        for (name, pid), items in held_files.items():
            if (holder := self._holder(name, pid, items)) is not None:
                holders.setdefault(name, []).append(holder)
        return holders

    def record(
        self, area: str, holders: Iterable[EarlierHolder], *, end: bool, reason: str
    ) -> tuple[EarlierHolder, ...]:
        """Record the holders of files of *area*, then with *end* those that may not read are ended. Returns the ended
        ones.

        Raises :class:`agent.errors.ShoumiError` when it cannot be recorded; then no process is ended.
        """
        all_holders = tuple(holders)
        doomed = tuple(holder for holder in all_holders if end and not holder.may)
        named = [
            holder.to_json()
            for holder in (*doomed, *(spared for spared in all_holders if spared not in doomed))[:_NAMED]
        ]
        fields = {
            "kind": "held-before",
            "area": area,
            "why": reason,
            "processes": len(all_holders),
            "ended": len(doomed),
        }
        self._decider.append({**fields, "holders": named, "alarm": any(not holder.may for holder in all_holders)})
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
    """Return the pids of the supervisor (holder) of this process and of all its descendants."""
    holder = os.getppid()
    with contextlib.suppress(psutil.Error):  # the holder has just ended, and its processes with it
        return frozenset({holder, *(child.pid for child in psutil.Process(holder).children(recursive=True))})
    return frozenset({holder, os.getpid()})


def _area_of(held_file: HeldFile, areas: Mapping[str, AreaOnDevice]) -> str | None:
    with contextlib.suppress(OSError):
        label = labels.area_of(labels.read(held_file.link, follow=True))
        if label:
            return label if label in areas else None
        path = _path(held_file).removesuffix(" (deleted)")
        return next((name for name, area in areas.items() if within(path, area.path)), None)
    return None


def _path(held_file: HeldFile) -> str:
    with contextlib.suppress(OSError):
        return str(Path(held_file.link).readlink())
    return ""
