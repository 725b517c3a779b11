"""Guarding of one area: cover, mark, bind, uncover, release.

Rules of this file: each step can be repeated. On a shared filesystem the border of an area is a bind of the directory
onto itself, and the mounts of unrelated processes are exempt; while that border is recreated nothing is exempt, so the
area is never reachable without a check.
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agent.api.findings import Finding
from agent.kernel import labels, mountinfo, mounting, volume_lock
from agent.kernel.cover import GuardedPlace
from agent.kernel.exposure import Exposure, exposures
from agent.kernel.fanotify import FanotifyGroups
from agent.kernel.mountinfo import Mount
from agent.kernel.private_mount import doorway
from agent.registry.rows.areas import AreaRow
from agent.volumes import marks, status
from agent.volumes.planning import AreaPlan, Sharing, doors
from agent.volumes.status import ProtectedArea
from agent.volumes.visits import VisitNumbers
from rules.model import Mode
from rules.tiers import Tier

_SDEV = re.compile(r"^fanotify sdev:([0-9a-f]+) mflags:[0-9a-f]+ mask:([0-9a-f]+) ", re.MULTILINE)


Placed = Literal["anew", "mended", "again"]
"""The marks that the filesystem carried before: none, some, or all."""


def marked(group: int) -> frozenset[int]:
    """Return the devices (``st_dev``) whose filesystems carry a mark of *group*: proc_pid_fdinfo(5)."""
    return frozenset(masks(group))


def masks(group: int) -> dict[int, int]:
    """Return the mask of each filesystem that carries a mark of *group*, by its device (``st_dev``)."""
    text = Path(f"/proc/self/fdinfo/{group}").read_text(encoding="ascii") if group >= 0 else ""
    pairs = ((int(device, 16), int(mask, 16)) for device, mask in _SDEV.findall(text))
    return {os.makedev(device >> 20, device & 0xFFFFF): mask for device, mask in pairs}  # the kernel's own dev_t


def chosen_sharing(volume: Any) -> Sharing | None:
    """Return the sharing chosen when an area was added, as stored in the registry."""
    sharing = volume.get("sharing")
    return sharing if sharing in ("dedicated", "shared") else None


def close(place: GuardedPlace, table: Sequence[Mount], guarded: Iterable[int], home: Path) -> bool:
    """Cover every exposure of the area at *place* outside the *guarded* devices; return whether it is covered now.

    A volume that another agent than that of *home* guards is left to it. Raises ``OSError`` if covering fails.
    """
    for exposure in exposures(table, (place,), _numbers(guarded)):
        _hide(exposure, home)
    return mounting.hidden(place.path)


def close_all(places: Collection[GuardedPlace], table: Sequence[Mount], guarded: Iterable[int], home: Path) -> None:
    """Cover the same for many places. Never raises: a failure is tried again, and reported by the area's guarding."""
    for exposure in exposures(table, places, _numbers(guarded)):
        with suppress(OSError):
            _hide(exposure, home)


def _hide(exposure: Exposure, home: Path) -> None:
    can_hide = exposure.why != "beneath" or Path(exposure.path).is_dir()
    if can_hide and volume_lock.owner(exposure.device) in (None, str(home)):
        mounting.hide(exposure.path)


def _numbers(devices: Iterable[int]) -> frozenset[mountinfo.Device]:
    return frozenset((os.major(number), os.minor(number)) for number in devices)


class Guarding:
    """The guarding of one area on its volume of *tier*. *other_plans* are the plans of the agent's other areas."""

    def __init__(self, groups: FanotifyGroups, plan: AreaPlan, other_plans: Sequence[AreaPlan], tier: Tier) -> None:
        self._access = marks.accesses(tier)
        self._groups = groups
        self._plan = plan
        self._other_plans = other_plans

    def mark(self) -> None:
        """Place every mark, exemptions first. Raises ``OSError`` and :class:`RefusedError`."""
        table = mounting.uncovered(mountinfo.table())
        self._place(marks.marks(self._plan, table, self._other_plans, access=self._access))

    def place(self) -> Placed:
        """Place the marks of an area that may be covered; return what its filesystem carried before.

        On a shared filesystem whose border is missing nobody is exempt until :meth:`open_doors`.
        """
        opens, accesses = (masks(group).get(self._plan.st_dev) for group in self._groups)
        placed: Placed = "anew" if opens is None else "mended" if self._access and accesses is None else "again"
        if self._plan.dedicated and self._is_complete(opens or 0, accesses or 0):
            return placed  # already done for another area of the volume
        if self._border_missing():
            table = mounting.uncovered(mountinfo.table())
            self._place(marks.unexempt(self._plan, table, access=self._access))
            self._place(marks.filesystem_marks(self._plan, access=self._access))
        else:
            self.mark()
        return placed

    def open_doors(self) -> None:
        """Remove the covers, and recreate the border of an area on a shared filesystem."""
        missing = self._border_missing()
        table = mounting.uncovered(mountinfo.table())
        for path in (*doors(self._plan, table), self._plan.path):
            mounting.unhide(path)
        if missing:
            marks.prepare(self._plan)
            self.mark()

    def arrived(self, area: ProtectedArea, visits: VisitNumbers) -> Finding | None:
        """Return a finding when the volume is not the one guarded last, or an older state of it."""
        with self.way_in(self._plan.path) as inside:
            change = visits.arrive(area.name, inside)
        return status.replaced(area, change) if change else None

    def let_go(self, name: str) -> None:
        """Remove marks, labels and border. Raises ``OSError`` and :class:`RefusedError`.

        On a volume with other areas every inode keeps a label: those of this area become public.
        """
        table = mounting.uncovered(mountinfo.table())
        volume = mountinfo.resolve(self._plan.path, table)
        # Files moved out of the area carry its label too; nothing can be moved out of a self-bound area.
        top = volume.point if volume and self._plan.dedicated else self._plan.path
        keeps_areas = self._plan.dedicated and any(plan.device == self._plan.device for plan in self._other_plans)
        with self.way_in(top) as inside:
            labels.clear(inside, name, instead=labels.PUBLIC if keeps_areas else None)
        self._place(marks.unmarks(self._plan, table, self._other_plans, access=self._access))
        with suppress(OSError):
            mounting.unhide(self._plan.path)
        mounting.unbind(self._plan.path)

    @contextmanager
    def way_in(self, path: str) -> Iterator[str]:
        """Yield a path to *path* that needs no verdict, and leads below our own cover."""
        if mounting.hidden(path):
            descriptor = mounting.reach(path)
            try:
                yield f"/proc/self/fd/{descriptor}/."
            finally:
                os.close(descriptor)
            return
        with doorway(self._groups.open, self._groups.access, path) as inside:
            yield inside

    def _is_complete(self, opens: int, accesses: int) -> bool:
        """Return whether the filesystem already carries every mark: *opens* and *accesses* are its masks."""
        have = {"open": opens, "access": accesses}
        wanted = marks.filesystem_marks(self._plan, access=self._access)
        return not any(request.mask & ~have[request.group] for request in wanted)

    def _border_missing(self) -> bool:
        shared = self._plan.sharing == "shared"
        return shared and mountinfo.self_bind(self._plan.path, mounting.uncovered(mountinfo.table())) is None

    def _place(self, requests: Iterable[marks.MarkRequest]) -> None:
        marks.place(self._groups.open, self._groups.access if self._groups.access >= 0 else None, requests)


@dataclass(frozen=True, slots=True)
class MarkedArea:
    """An area whose marks are placed and whose cover, if any, remains. ``fresh``: its volume had no marks before."""

    row: AreaRow
    area: ProtectedArea
    plan: AreaPlan
    tier: Tier
    guard: Guarding
    findings: list[Finding]
    fresh: bool

    @property
    def enforced(self) -> bool:
        """Whether it is in enforce mode, and so covered until its guard is proven."""
        return self.row.resource.mode is Mode.ENFORCE
