"""The watch over the disks of the log and of the home: little room is an entry and an alarm before there is none.

Rules of this file: the entry comes first, then the alarm; a worse stage is another alarm, and room that is back is an
entry. What cannot be seen is said by the log's own trouble, and raises nothing here. Belongs to the thread of acts.
"""

from collections import deque
from pathlib import Path

from agent.control.services import ControlServices
from agent.log import space
from agent.log.space import DiskRoom, Outlook, Stage
from rules.text import Text
from rules.visible import visible

DISK = "disk-low"  # the kind of the entry and of the alarm
_GIB = 1 << 30


class DiskWatch:
    """Looks again and again."""

    def __init__(self, services: ControlServices) -> None:
        home = services.site.home
        self._services = services
        self._disks = [_Disk(home.log)]
        if not _same(home.log, home.root):
            self._disks.append(_Disk(home.root))

    def step(self) -> None:
        """Look once. Raises :class:`agent.errors.ShoumiError` when it cannot be written down: the next look does."""
        for disk in self._disks:
            try:
                space.kept(disk.samples, space.look(disk.path, self._services.site.now()))
            except OSError:
                continue
            found = space.outlook(disk.samples, disk.stage)
            if found.stage != disk.stage:
                self._tell(disk, found, disk.samples[-1])
                disk.stage = found.stage

    def _tell(self, disk: "_Disk", found: Outlook, room: DiskRoom) -> None:
        services, text = self._services, said(disk.path, found, room)
        worse = space.STAGES.index(found.stage) > space.STAGES.index(disk.stage)
        hours = None if found.hours is None else round(found.hours, 1)
        seen = {"state": found.stage, "path": str(disk.path), "free": room.free, "whole": room.whole, "hours": hours}
        fields = {"kind": DISK, **seen, "reason": text.to_json(), **({"alarm": True} if worse else {})}
        seq = services.decider.append(fields)
        if worse and not services.site.stores.now.older:
            with services.registry.note(services.site.now()) as note:
                note.alarms.add(DISK, text, seq=seq)


class _Disk:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.samples: deque[DiskRoom] = deque()
        self.stage: Stage = "good"


def said(path: Path, found: Outlook, room: DiskRoom) -> Text:
    """Return how much room there is on the disk of *path*, and for how long."""
    shown, gib = visible(str(path)), f"{room.free / _GIB:.1f} GiB"
    text = Text(f"{gib} ({found.part:.0%}) left at `{shown}`", f"`{shown}` 所在磁盘剩余 {gib}（{found.part:.0%}）")
    if found.hours is not None and found.hours < space.LOW_HOURS:
        text = Text(
            f"{text.en}, {found.hours:.1f} hours at the present rate",
            f"{text.zh}，按当前速度可用 {found.hours:.1f} 小时",
        )
    return Text(f"{text.en}; when it is full every access is denied", f"{text.zh}；写满后将拒绝一切访问")


def _same(one: Path, other: Path) -> bool:
    try:
        return one.stat().st_dev == other.stat().st_dev
    except OSError:
        return False
