"""How volumes are, as seen now: where they stand, what guards their areas, who holds a disk.

Rules of this file: it looks and changes nothing. What is wanted comes from the registry; the rest is seen.
"""

import contextlib
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from agent.disks import opening
from agent.disks.holders import DiskHolder, holders, taken
from agent.kernel import loop_device, mountinfo, mounting
from agent.kernel.mountinfo import Device, Mount, within
from agent.registry.rows.areas import AreaRow
from agent.registry.rows.volumes import VolumeRow
from agent.volumes.status import Protected

VolumeState = Literal["hidden", "attached", "published", "guarded", "closed", "absent"]


class DiskUse(NamedTuple):
    """Whether nobody holds a disk, and who does. Not ``free`` without ``holders``: the kernel for itself."""

    free: bool
    holders: tuple[DiskHolder, ...]

    def to_json(self) -> dict[str, object]:
        """Return it as JSON."""
        return {"free": self.free, "holders": [holder.to_json() for holder in self.holders]}


def on_volume(point: str, rows: Iterable[AreaRow]) -> tuple[AreaRow, ...]:
    """Return the areas of *rows* that lie on the volume at *point*, by their paths."""
    return tuple(row for row in rows if within(row.path, point))


def mounted_at(point: str) -> Mount | None:
    """Return the mount at *point*, below our own covers, as a lookup meets it."""
    top = mountinfo.resolve(point, mounting.uncovered(mountinfo.table()))
    return top if top is not None and top.point == point else None


def state_of(
    row: VolumeRow, areas: Collection[AreaRow], protected: Mapping[str, Protected], *, staged: bool
) -> VolumeState:
    """Return the state of a volume; *areas* are those on it, *staged*: it is mounted where nobody sees it."""
    if row.wanted == "hidden":
        return "hidden"
    if staged:
        return "attached"
    mount = mounted_at(row.point)
    if mount is None or number(mount.device) not in opening.numbers(row.device, row.uuid):
        return "absent"
    return seen_state(row.point, areas, protected)


def seen_state(point: str, areas: Collection[AreaRow], protected: Mapping[str, Protected]) -> VolumeState:
    """Return the state of a volume that is mounted at *point*."""
    known = [found for row in areas if (found := protected.get(row.resource.id))]
    if mounting.hidden(point) or any(found.tier == "none" for found in known):
        return "closed"
    return "guarded" if known else "published"


def use_of(numbers: Collection[int], ours: Collection[int] = ()) -> DiskUse:
    """Return who holds the block devices *numbers*; the processes *ours* are left out."""
    found: dict[DiskHolder, None] = {}
    for one in numbers:
        found |= dict.fromkeys(holders(one, ours))
    return DiskUse(not found and all(map(is_free, numbers)), tuple(found))


def is_free(number: int) -> bool:
    """Whether a block device can be had alone, or is not there at all."""
    with contextlib.suppress(OSError):
        return not taken(node_of(number))
    return True


def node_of(number: int) -> str:
    """Return the node of a block device, as the kernel names it. Raises ``OSError`` when there is none."""
    text = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/uevent").read_text(encoding="utf-8")
    return next(f"/dev/{line.partition('=')[2]}" for line in text.splitlines() if line.startswith("DEVNAME="))


def number(device: Device) -> int:
    """Return the number of a device as stat(2) says it."""
    return os.makedev(*device)


def source_of(mount: Mount) -> str:
    """Return what an administrator calls the device of *mount*: the image of a loop device, else the device."""
    return loop_device.backing_file(number(mount.device)) or mount.source
