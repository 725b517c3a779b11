"""Contents of a block device or image: a filesystem, a LUKS container, other data, or nothing.

Rules of this file: it reads and never writes. A disk is empty if no tool recognises a signature and it begins and ends
with zeros; anything else counts as data. Sources: blkid(8) ``--probe``, wipefs(8) ``--no-act``.
"""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from agent.disks import tools
from agent.errors import RefusedError
from agent.kernel import loop_device
from rules.text import Message, Sentence
from rules.visible import visible

FILESYSTEMS = ("ext4", "xfs")
LUKS = "crypto_LUKS"
_EDGE = 1 << 20  # bytes at the beginning and at the end
_NOTHING_FOUND = 2  # blkid's exit code


class DiskContents(NamedTuple):
    """Contents of a disk. ``kind``: blkid's type (``ext4``, ``crypto_LUKS`` …), "" if unknown; ``uuid``: its UUID."""

    kind: str
    uuid: str


def probe(path: str) -> DiskContents:
    """Return the contents of the device or image at *path*. Raises :class:`RefusedError`."""
    output = tools.run("blkid", "--probe", "--output", "export", path, seconds=20, fine=(0, _NOTHING_FOUND))
    values = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    return DiskContents(values.get("TYPE", values.get("PTTYPE", "")), values.get("UUID", ""))


def size(path: str) -> int:
    """Return the size in bytes of the device or image at *path*. Raises ``OSError``."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.lseek(descriptor, 0, os.SEEK_END)
    finally:
        os.close(descriptor)


def why_not_empty(path: str) -> Sentence | None:
    """Return the reason why *path* is not empty, ``None`` when it is empty.

    Raises :class:`RefusedError` when it cannot be inspected.
    """
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode):
            if status.st_size == 0:
                return None
            if used := loop_device.of_image(path):
                return Message("disks.image-in-use", node=used.node)
        elif stat.S_ISBLK(status.st_mode):
            if reason := _why_busy(path, status.st_rdev):
                return reason
        else:
            return Message("disks.not-a-disk")
        kind = probe(path).kind
        signs = tools.run("wipefs", "--no-act", "--parsable", path, seconds=20)
        signature = kind or next((line.split(",")[-1] for line in signs.splitlines() if line and line[0] != "#"), "")
        if signature or any(line and line[0] != "#" for line in signs.splitlines()):
            shown_signature = visible(signature)
            return Message("disks.has-content", signature=shown_signature)
        return None if _zeros(path) else Message("disks.unrecognised-data")
    except OSError as error:
        shown_signature = visible(str(error))
        raise RefusedError(Message("disks.disk-not-inspected", path=path, error=shown_signature)) from error


def _why_busy(path: str, number: int) -> Sentence | None:
    place = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    parts = [part.parent.name for part in place.glob("*/partition")]
    if parts:
        return Message("disks.has-partitions", names=", ".join(parts))
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC))  # open(2): EBUSY when the system uses it
    except OSError as error:
        return Message("disks.device-busy", strerror=error.strerror)
    return None


def _zeros(path: str) -> bool:
    with open(path, "rb", buffering=0) as device:
        length = device.seek(0, os.SEEK_END)
        for start in (0, max(0, length - _EDGE)):
            device.seek(start)
            if device.read(_EDGE).strip(b"\0"):
                return False
    return True
