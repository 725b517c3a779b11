"""Holders of files beside processes: loop devices, swap, and processes that watch a filesystem.

Rules of this file: it opens no file of the filesystem; what cannot be inspected is left out, and the caller has the
rights to see all.
Sources: proc_swaps(5), proc_pid_fdinfo(5), loop(4).
"""

import contextlib
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

_LOOPS = "/sys/block"
_SWAPS = Path("/proc/swaps")
_OCTAL = re.compile(rb"\\([0-7]{3})")
_INOTIFY, _FANOTIFY = "anon_inode:inotify", "anon_inode:[fanotify]"
_DEVICE = re.compile(r"^(?:inotify|fanotify) .*?\bsdev:([0-9a-f]+)", re.MULTILINE)


class KernelHolder(NamedTuple):
    """A file that the kernel itself keeps open. ``name``: ``loop0``, or ``swap``."""

    name: str
    path: str


class FileWatcher(NamedTuple):
    """A process notified of events on a filesystem. ``how``: ``inotify`` or ``fanotify``."""

    pid: int
    comm: str
    how: str


def kernel_holders() -> Iterator[KernelHolder]:
    """Yield every file of this host that a loop device or swap uses."""
    for folder in sorted(Path(_LOOPS).glob("loop*")):
        with contextlib.suppress(OSError):
            backing = (folder / "loop" / "backing_file").read_bytes().removesuffix(b"\n")
            yield KernelHolder(folder.name, os.fsdecode(backing))
    with contextlib.suppress(OSError):
        yield from (KernelHolder("swap", path) for path in swap_files(_SWAPS.read_bytes()))


def swap_files(text: bytes) -> Iterator[str]:
    """Yield the files named in *text*, of ``/proc/swaps``."""
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 1 and fields[1] == b"file":
            yield os.fsdecode(_OCTAL.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), fields[0]))


def file_watchers(devices: Collection[int], but: Collection[int] = ()) -> Iterator[FileWatcher]:
    """Yield the processes that watch something on *devices* (``st_dev``), once each; *but* are left out."""
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        if pid not in but:
            for how in sorted(_watching(pid, devices)):
                with contextlib.suppress(OSError):
                    yield FileWatcher(pid, os.fsdecode(Path(f"/proc/{pid}/comm").read_bytes().strip()), how)


def _watching(pid: int, devices: Collection[int]) -> set[str]:
    kinds: set[str] = set()
    with contextlib.suppress(OSError):
        for number in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                link = os.readlink(f"/proc/{pid}/fd/{number}")
                if link in (_INOTIFY, _FANOTIFY):
                    text = Path(f"/proc/{pid}/fdinfo/{number}").read_text(encoding="ascii")
                    if any(device in devices for device in watched(text)):
                        kinds.add("inotify" if link == _INOTIFY else "fanotify")
    return kinds


def watched(text: str) -> Iterator[int]:
    """Yield the devices (``st_dev``) named by a ``fdinfo`` of inotify or fanotify."""
    for device_hex in _DEVICE.findall(text):
        number = int(device_hex, 16)  # the kernel's own dev_t
        yield os.makedev(number >> 20, number & 0xFFFFF)
