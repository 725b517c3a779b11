"""What is on a block device or in an image: a filesystem, a LUKS container, something else, or nothing at all.

Rules of this file: it reads and never writes. Nothing is what no tool knows a name for and what begins and ends with
zeros; anything else is somebody's data. Sources: blkid(8) ``--probe``, wipefs(8) ``--no-act``.
"""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from agent.disks import tools
from agent.errors import RefusedError
from agent.kernel import loop_device
from rules.text import Text
from rules.visible import visible

FILESYSTEMS = ("ext4", "xfs")
LUKS = "crypto_LUKS"
_EDGE = 1 << 20  # bytes at the beginning and at the end
_NOTHING_FOUND = 2  # blkid's exit code


class DiskContents(NamedTuple):
    """``kind`` is blkid's word for it (``ext4``, ``crypto_LUKS`` …), "" when it knows none; ``uuid`` is its number."""

    kind: str
    uuid: str


def probe(path: str) -> DiskContents:
    """Return what is on the device or in the image at *path*. Raises :class:`RefusedError`."""
    said = tools.run("blkid", "--probe", "--output", "export", path, seconds=20, fine=(0, _NOTHING_FOUND))
    values = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    return DiskContents(values.get("TYPE", values.get("PTTYPE", "")), values.get("UUID", ""))


def size(path: str) -> int:
    """Return the bytes of the device or image at *path*. Raises ``OSError``."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.lseek(descriptor, 0, os.SEEK_END)
    finally:
        os.close(descriptor)


def why_not_empty(path: str) -> Text | None:
    """Return what keeps *path* from being empty, ``None`` when nothing does.

    Raises :class:`RefusedError` when it cannot be looked at.
    """
    try:
        found = os.stat(path)
        if stat.S_ISREG(found.st_mode):
            if found.st_size == 0:
                return None
            if used := loop_device.of_image(path):
                return Text(f"it is in use as `{used.node}`", f"已用作 `{used.node}`")
        elif stat.S_ISBLK(found.st_mode):
            if why := _why_busy(path, found.st_rdev):
                return why
        else:
            return Text("it is neither a block device nor a file", "既不是块设备也不是文件")
        kind = probe(path).kind
        signs = tools.run("wipefs", "--no-act", "--parsable", path, seconds=20)
        known = kind or next((line.split(",")[-1] for line in signs.splitlines() if line and line[0] != "#"), "")
        if known or any(line and line[0] != "#" for line in signs.splitlines()):
            said = visible(known)
            return Text(f"there is something on it: `{said}`", f"其上已有内容：`{said}`")
        return None if _zeros(path) else Text("there is data on it that nobody recognises", "其上有无法识别的数据")
    except OSError as error:
        said = visible(str(error))
        raise RefusedError(
            Text(f"`{visible(path)}` cannot be looked at: {said}", f"无法检查 `{visible(path)}`：{said}")
        ) from error


def _why_busy(path: str, number: int) -> Text | None:
    place = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    parts = [part.parent.name for part in place.glob("*/partition")]
    if parts:
        return Text(f"it has partitions: {', '.join(parts)}", f"其上有分区：{', '.join(parts)}")
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC))  # open(2): EBUSY when the system uses it
    except OSError as error:
        return Text(f"it is in use: {error.strerror}", f"正在使用：{error.strerror}")
    return None


def _zeros(path: str) -> bool:
    with open(path, "rb", buffering=0) as device:
        length = device.seek(0, os.SEEK_END)
        for start in (0, max(0, length - _EDGE)):
            device.seek(start)
            if device.read(_EDGE).strip(b"\0"):
                return False
    return True
