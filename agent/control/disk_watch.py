"""Disk watch: an entry and an alarm when the disk of the log or of the home runs low on space.

Rules of this file: the entry comes first, then the alarm; a worse stage raises another alarm, and recovered space is an
entry. A disk that cannot be examined is reported by the log itself and raises nothing here. Belongs to the thread of
acts.
"""

from collections import deque
from pathlib import Path

from agent.control.services import ControlServices
from agent.log import space
from agent.log.space import DiskRoom, Outlook, Stage
from rules.text import Message, Sentence
from rules.visible import visible

DISK = "disk-low"  # the kind of the entry and of the alarm
_GIB = 1 << 30


class DiskWatch:
    """Checks the disks periodically."""

    def __init__(self, services: ControlServices) -> None:
        home = services.site.home
        self._services = services
        self._disks = [_Disk(home.log)]
        if not _same(home.log, home.root):
            self._disks.append(_Disk(home.root))

    def step(self) -> None:
        """Check once. Raises :class:`agent.errors.ShoumiError` when it cannot be recorded; the next check retries."""
        for disk in self._disks:
            try:
                space.kept(disk.samples, space.look(disk.path, self._services.site.now()))
            except OSError:
                continue
            outlook = space.outlook(disk.samples, disk.stage)
            if outlook.stage != disk.stage:
                self._tell(disk, outlook, disk.samples[-1])
                disk.stage = outlook.stage

    def _tell(self, disk: "_Disk", outlook: Outlook, room: DiskRoom) -> None:
        services, text = self._services, disk_text(disk.path, outlook, room)
        worse = space.STAGES.index(outlook.stage) > space.STAGES.index(disk.stage)
        hours = None if outlook.hours is None else round(outlook.hours, 1)
        disk_fields = {
            "state": outlook.stage,
            "path": str(disk.path),
            "free": room.free,
            "whole": room.whole,
            "hours": hours,
        }
        fields = {"kind": DISK, **disk_fields, "reason": text.to_json(), **({"alarm": True} if worse else {})}
        seq = services.decider.append(fields)
        if worse and not services.site.stores.now.older:
            with services.registry.note(services.site.now()) as note:
                note.alarms.add(DISK, text, seq=seq)


class _Disk:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.samples: deque[DiskRoom] = deque()
        self.stage: Stage = "good"


def disk_text(path: Path, outlook: Outlook, room: DiskRoom) -> Sentence:
    """Return the free space on the disk of *path*, and how long it will last."""
    shown_path, gib = visible(str(path)), f"{room.free / _GIB:.1f} GiB"
    text = Message("control.disk-space-left", space=gib, part=outlook.part, path=shown_path)
    if outlook.hours is not None and outlook.hours < space.LOW_HOURS:
        text = Message("control.disk-hours-left", text=text, hours=outlook.hours)
    return Message("control.disk-full-denies-all", text=text)


def _same(first: Path, second: Path) -> bool:
    try:
        return first.stat().st_dev == second.stat().st_dev
    except OSError:
        return False
