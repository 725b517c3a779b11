"""An image file as a block device, and which image a loop device shows.

Rules of this file: the ioctls of loop(4), nothing else. A device made here frees itself (autoclear) when the last one
who holds it lets go. An image gets one device and never a second: two would be two filesystems over the same bytes.
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
_ATTEMPTS = 64  # somebody else may take the free one first


class LoopDevice(NamedTuple):
    """A loop device, and the inode it shows; ``device`` is that inode's filesystem."""

    node: str
    device: int
    inode: int
    autoclear: bool


def devices() -> Iterator[LoopDevice]:
    """Yield every loop device that shows a file; what cannot be asked is left out."""
    for name in sorted(os.listdir("/sys/block")):
        if name.startswith("loop") and os.path.exists(f"/sys/block/{name}/loop"):
            with contextlib.suppress(OSError):
                node = os.open(f"/dev/{name}", os.O_RDONLY | os.O_CLOEXEC)
                try:
                    info = fcntl.ioctl(node, _LOOP_GET_STATUS64, bytes(_INFO.size))
                finally:
                    os.close(node)
                found = _INFO.unpack(info)
                yield LoopDevice(f"/dev/{name}", found[0], found[1], bool(found[8] & _AUTOCLEAR))


def of_image(path: str) -> LoopDevice | None:
    """Return the device that shows the file at *path*. Raises ``OSError`` when there is no such file."""
    found = os.stat(path)
    return next((one for one in devices() if (one.device, one.inode) == (found.st_dev, found.st_ino)), None)


def open_image(path: str) -> tuple[str, int]:
    """Return the node of a device that shows the file at *path*, and a descriptor that keeps it. Raises ``OSError``."""
    if known := of_image(path):
        return known.node, os.open(known.node, os.O_RDONLY | os.O_CLOEXEC)
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
    """Return the image that the block device *number* shows, by its name; ``None``: it is no loop device."""
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
    info = _INFO.pack(0, 0, 0, 0, 0, 0, 0, 0, _AUTOCLEAR, name, b"", b"", 0, 0)
    fcntl.ioctl(device, _LOOP_CONFIGURE, _CONFIG.pack(image, 0, info, *([0] * 8)))
