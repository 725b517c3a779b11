"""From what an administrator names to what can be mounted: an image gets a loop device, a container is opened.

Rules of this file: what is opened is checked against the number it had when it was named; another disk under the same
name is refused. What was opened on the way is let go when the rest fails.
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
from rules.text import Text
from rules.visible import visible


@dataclass(slots=True)
class OpenedDisk:
    """``node`` can be mounted and has a filesystem of ``fstype``; ``container`` is the number of what it lies in."""

    node: str
    fstype: str
    container: str = ""
    loop: int = -1  # keeps a loop device until somebody else does

    def close(self) -> None:
        """Let go of the loop device; a mount or a container keeps it by now, or nobody does."""
        if self.loop >= 0:
            os.close(self.loop)
            self.loop = -1


def open_disk(device: str, uuid: str = "", key: str = "") -> OpenedDisk:
    """Open *device*, which had *uuid* when it was named ("": any). Raises :class:`RefusedError`."""
    opened = OpenedDisk(find(device, uuid), "")
    try:
        _open(opened, device, uuid, key)
    except BaseException as error:
        if opened.container:
            with contextlib.suppress(RefusedError):  # somebody else has taken it meanwhile
                luks.close_device(opened.container)
        opened.close()
        if isinstance(error, OSError):
            why = visible(str(error))
            raise RefusedError(
                Text(f"`{visible(device)}` cannot be opened: {why}", f"无法打开 `{visible(device)}`：{why}")
            ) from error
        raise
    return opened


def _open(opened: OpenedDisk, device: str, uuid: str, key: str) -> None:
    if stat.S_ISREG(os.stat(opened.node).st_mode):
        opened.node, opened.loop = loop_device.open_image(opened.node)
    found = contents.probe(opened.node)
    _expect(device, found, uuid)
    if found.kind == contents.LUKS:
        if not key:
            raise RefusedError(
                Text(f"`{visible(device)}` is encrypted", f"`{visible(device)}` 已加密"),
                Text("name the file of its key: --luks-key FILE", "请指定密钥文件：--luks-key FILE"),
            )
        opened.node, opened.container = luks.open_device(opened.node, found.uuid, key), found.uuid
        found = contents.probe(opened.node)
    if found.kind not in contents.FILESYSTEMS:
        raise _no_filesystem(device, found)
    opened.fstype = found.kind


def find(device: str, uuid: str) -> str:
    """Return where *device* is now: by its number, when its name has changed. Raises :class:`RefusedError`."""
    by_number = Path("/dev/disk/by-uuid") / uuid
    for path in (device, str(by_number)) if uuid and "/" not in uuid else (device,):
        if os.path.exists(path) and (not uuid or contents.probe(path).uuid == uuid):
            return path
    if os.path.exists(device):
        _expect(device, contents.probe(device), uuid)
    raise RefusedError(
        Text(f"`{visible(device)}` is not there", f"`{visible(device)}` 不存在"),
        Text("connect it, or name where it is now", "请接入该设备，或指定其当前位置"),
    )


def _expect(device: str, found: DiskContents, uuid: str) -> None:
    if uuid and found.uuid != uuid:
        shown, is_now = visible(device), visible(found.uuid or "-")
        raise RefusedError(
            Text(
                f"`{shown}` is not the volume that was meant: `{is_now}`, not `{visible(uuid)}`",
                f"`{shown}` 不是所指的卷：现为 `{is_now}`，而非 `{visible(uuid)}`",
            ),
            Text("see `shoumi volume list`", "参见 `shoumi volume list`"),
        )


def _no_filesystem(device: str, found: DiskContents) -> RefusedError:
    shown, kind = visible(device), visible(found.kind or "-")
    return RefusedError(
        Text(f"there is no ext4 or xfs on `{shown}`: `{kind}`", f"`{shown}` 上没有 ext4 或 xfs：`{kind}`"),
        Text(f"shoumi volume create {shown} --fstype ext4", f"shoumi volume create {shown} --fstype ext4"),
    )


def numbers(device: str, uuid: str) -> frozenset[int]:
    """Return the block devices that show what is on *device* now: itself or its loop device, and its open container."""
    found = set()
    with contextlib.suppress(OSError):
        state = os.stat(device)
        if stat.S_ISBLK(state.st_mode):
            found.add(state.st_rdev)
        elif stat.S_ISREG(state.st_mode) and (loop := loop_device.of_image(device)):
            found.add(os.stat(loop.node).st_rdev)
    if uuid and (node := luks.node_of(uuid)):
        with contextlib.suppress(OSError):
            found.add(os.stat(node).st_rdev)
    return frozenset(found)
