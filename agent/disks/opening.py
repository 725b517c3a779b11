"""Opening of a disk for mounting: an image gets a loop device, a container is opened.

Rules of this file: an opened disk is checked against its registered UUID; another disk under the same name is refused.
What was opened before a failure is closed again.
"""

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from agent.disks import contents, luks
from agent.disks.contents import DiskContents
from agent.errors import RefusedError
from agent.kernel import loop_device
from rules.text import Message
from rules.visible import visible


@dataclass(slots=True)
class OpenedDisk:
    """An opened disk. ``node`` can be mounted and has a filesystem of ``fstype``; ``container``: UUID of its LUKS."""

    node: str
    fstype: str
    container: str = ""
    loop: int = -1  # holds a loop device until a mount or container does

    def close(self) -> None:
        """Close the loop device; it stays while a mount or a container holds it."""
        if self.loop >= 0:
            os.close(self.loop)
            self.loop = -1


def open_disk(device: str, uuid: str = "", key: str = "") -> OpenedDisk:
    """Open *device*, whose registered UUID is *uuid* ("": any). Raises :class:`RefusedError`."""
    opened = OpenedDisk(find(device, uuid), "")
    try:
        _open(opened, device, uuid, key)
    except BaseException as error:
        if opened.container:
            with contextlib.suppress(RefusedError):  # taken by another process in the meantime
                luks.close_device(opened.container)
        opened.close()
        if isinstance(error, OSError):
            reason = visible(str(error))
            raise RefusedError(Message("disks.device-not-opened", device=device, reason=reason)) from error
        raise
    return opened


def _open(opened: OpenedDisk, device: str, uuid: str, key: str) -> None:
    if stat.S_ISREG(os.stat(opened.node).st_mode):
        opened.node, opened.loop = loop_device.open_image(opened.node)
    disk_contents = contents.probe(opened.node)
    _expect(device, disk_contents, uuid)
    if disk_contents.kind == contents.LUKS:
        if not key:
            raise RefusedError(
                Message("disks.key-required", device=device),
                Message("disks.give-key-file"),
            )
        opened.node, opened.container = luks.open_device(opened.node, disk_contents.uuid, key), disk_contents.uuid
        disk_contents = contents.probe(opened.node)
    if disk_contents.kind not in contents.FILESYSTEMS:
        raise _no_filesystem(device, disk_contents)
    opened.fstype = disk_contents.kind


def find(device: str, uuid: str) -> str:
    """Return the current path of *device*: by its UUID when its name has changed. Raises :class:`RefusedError`."""
    by_number = Path("/dev/disk/by-uuid") / uuid
    for path in (device, str(by_number)) if uuid and "/" not in uuid else (device,):
        if os.path.exists(path) and (not uuid or contents.probe(path).uuid == uuid):
            return path
    if os.path.exists(device):
        _expect(device, contents.probe(device), uuid)
    raise RefusedError(
        Message("disks.device-not-found", device=device),
        Message("disks.connect-or-name-device"),
    )


def _expect(device: str, disk_contents: DiskContents, uuid: str) -> None:
    if uuid and disk_contents.uuid != uuid:
        shown_device, is_now = visible(device), visible(disk_contents.uuid or "-")
        raise RefusedError(
            Message("disks.other-volume-found", device=shown_device, is_now=is_now, uuid=uuid),
            Message("common.see-shoumi-volume-list"),
        )


def _no_filesystem(device: str, disk_contents: DiskContents) -> RefusedError:
    shown_device, kind = visible(device), visible(disk_contents.kind or "-")
    return RefusedError(
        Message("disks.unsupported-filesystem", device=shown_device, kind=kind),
        Message("disks.create-volume", device=shown_device),
    )


def numbers(device: str, uuid: str) -> frozenset[int]:
    """Return the block devices of *device*: itself or its loop device, and its open container."""
    devices = set()
    with contextlib.suppress(OSError):
        state = os.stat(device)
        if stat.S_ISBLK(state.st_mode):
            devices.add(state.st_rdev)
        elif stat.S_ISREG(state.st_mode) and (loop := loop_device.of_image(device)):
            devices.add(os.stat(loop.node).st_rdev)
    if uuid and (node := luks.node_of(uuid)):
        with contextlib.suppress(OSError):
            devices.add(os.stat(node).st_rdev)
    return frozenset(devices)
