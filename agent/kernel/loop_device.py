"""Loop devices: an image file as a block device, and the image of a loop device.

Rules of this file: the ioctls of loop(4), nothing else. A device made here frees itself (autoclear) when its last
holder closes it. An image gets one device and never a second: two would be two filesystems over the same bytes.
Sources: loop(4), linux/loop.h; LOOP_CONFIGURE is of Linux 5.8.
"""

import contextlib
import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

_LOOP_CONFIGURE, _LOOP_GET_STATUS64, _LOOP_CTL_GET_FREE = 0x4C0A, 0x4C05, 0x4C82
_READ_ONLY, _AUTOCLEAR = 1, 4
_INFO = struct.Struct("=5Q4I64s64s32s2Q")  # struct loop_info64
_CONFIG = struct.Struct(f"=II{_INFO.size}s8Q")  # struct loop_config
_ATTEMPTS = 64  # another process may take the free one first


class LoopDevice(NamedTuple):
    """A loop device, and the inode of its image; ``device`` is that inode's filesystem."""

    node: str
    device: int
    inode: int
    autoclear: bool


def devices() -> Iterator[LoopDevice]:
    """Yield every loop device with an image; those that do not answer are left out."""
    for name in sorted(os.listdir("/sys/block")):
        if name.startswith("loop") and os.path.exists(f"/sys/block/{name}/loop"):
            with contextlib.suppress(OSError):
                node = os.open(f"/dev/{name}", os.O_RDONLY | os.O_CLOEXEC)
                try:
                    raw = fcntl.ioctl(node, _LOOP_GET_STATUS64, bytes(_INFO.size))
                finally:
                    os.close(node)
                fields = _INFO.unpack(raw)
                yield LoopDevice(f"/dev/{name}", fields[0], fields[1], bool(fields[8] & _AUTOCLEAR))


def of_image(path: str) -> LoopDevice | None:
    """Return the loop device of the image at *path*. Raises ``OSError`` when there is no such file."""
    status = os.stat(path)
    return next(
        (device for device in devices() if (device.device, device.inode) == (status.st_dev, status.st_ino)), None
    )


def open_image(path: str) -> tuple[str, int]:
    """Return the node of a device for the image at *path*, and a descriptor that keeps it. Raises ``OSError``."""
    if existing := of_image(path):
        return existing.node, os.open(existing.node, os.O_RDONLY | os.O_CLOEXEC)
    image = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        for _ in range(_ATTEMPTS):
            node = _free_node()
            descriptor = os.open(node, os.O_RDWR | os.O_CLOEXEC)
            try:
                _configure(descriptor, image, path)
            except OSError as error:
                os.close(descriptor)
                if error.errno != errno.EBUSY:
                    raise
            else:
                return node, descriptor
        raise OSError(errno.EBUSY, "no loop device is free", path)
    finally:
        os.close(image)


def backing_file(number: int) -> str | None:
    """Return the image name of the block device *number*; ``None``: it is no loop device."""
    with contextlib.suppress(OSError):
        place = f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/loop/backing_file"
        with open(place, "rb") as file:
            return os.fsdecode(file.read().removesuffix(b"\n"))
    return None


def _free_node() -> str:
    control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    try:
        return f"/dev/loop{fcntl.ioctl(control, _LOOP_CTL_GET_FREE)}"
    finally:
        os.close(control)


def _configure(device: int, image: int, path: str) -> None:
    name = os.fsencode(path)[:63]
    settings = _INFO.pack(0, 0, 0, 0, 0, 0, 0, 0, _AUTOCLEAR, name, b"", b"", 0, 0)
    fcntl.ioctl(device, _LOOP_CONFIGURE, _CONFIG.pack(image, 0, settings, *([0] * 8)))
