"""Volume states: mount points, protection of the areas, and holders of disks, as of now.

Rules of this file: read-only. The wanted state comes from the registry; the rest is observed.
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
    """Use of a disk: whether it is free, and its holders. Not ``free`` without ``holders``: held by the kernel."""

    free: bool
    holders: tuple[DiskHolder, ...]

    def to_json(self) -> dict[str, object]:
        """Return it as JSON."""
        return {"free": self.free, "holders": [holder.to_json() for holder in self.holders]}


def on_volume(point: str, rows: Iterable[AreaRow]) -> tuple[AreaRow, ...]:
    """Return the areas of *rows* on the volume at *point*, by their paths."""
    return tuple(row for row in rows if within(row.path, point))


def mounted_at(point: str) -> Mount | None:
    """Return the mount that a lookup of *point* reaches, below our own covers."""
    top = mountinfo.resolve(point, mounting.uncovered(mountinfo.table()))
    return top if top is not None and top.point == point else None


def state_of(
    row: VolumeRow, areas: Collection[AreaRow], protected: Mapping[str, Protected], *, staged: bool
) -> VolumeState:
    """Return the state of a volume; *areas*: those on it, *staged*: it is mounted out of sight."""
    if row.wanted == "hidden":
        return "hidden"
    if staged:
        return "attached"
    mount = mounted_at(row.point)
    if mount is None or number(mount.device) not in opening.numbers(row.device, row.uuid):
        return "absent"
    return seen_state(row.point, areas, protected)


def seen_state(point: str, areas: Collection[AreaRow], protected: Mapping[str, Protected]) -> VolumeState:
    """Return the state of a volume mounted at *point*."""
    present = [area for row in areas if (area := protected.get(row.resource.id))]
    if mounting.hidden(point) or any(area.tier == "none" for area in present):
        return "closed"
    return "guarded" if present else "published"


def use_of(numbers: Collection[int], ours: Collection[int] = ()) -> DiskUse:
    """Return the holders of the block devices *numbers*, without the processes *ours*."""
    disk_holders: dict[DiskHolder, None] = {}
    for device_number in numbers:
        disk_holders |= dict.fromkeys(holders(device_number, ours))
    return DiskUse(not disk_holders and all(map(is_free, numbers)), tuple(disk_holders))


def is_free(number: int) -> bool:
    """Return whether a block device can be opened exclusively, or does not exist."""
    with contextlib.suppress(OSError):
        return not taken(node_of(number))
    return True


def node_of(number: int) -> str:
    """Return the node of a block device, as the kernel names it. Raises ``OSError`` when there is none."""
    text = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/uevent").read_text(encoding="utf-8")
    return next(f"/dev/{line.partition('=')[2]}" for line in text.splitlines() if line.startswith("DEVNAME="))


def number(device: Device) -> int:
    """Return the number of a device as in stat(2)."""
    return os.makedev(*device)


def source_of(mount: Mount) -> str:
    """Return the administrator's name for the device of *mount*: the image of a loop device, else the device."""
    return loop_device.backing_file(number(mount.device)) or mount.source
