"""Holders of a disk: mounts in any mount namespace, processes, stacked devices, the kernel itself.

Rules of this file: it reads and changes nothing. What the kernel itself holds (an NFS export, a swap file) has no
process; an exclusive open (open(2), O_EXCL) that fails then shows that the disk is held.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from agent.kernel import loop_device, mountinfo, mounting
from agent.kernel.open_files import held
from agent.kernel.task_tables import tables
from rules.text import Message, Sentence
from rules.visible import visible

How = Literal["mount", "open", "inside", "mapped", "device", "stacked", "loop"]
_HOW: dict[str, How] = {"fd": "open", "map": "mapped", "cwd": "inside", "root": "inside"}

HOLDINGS = {
    "mount": Message("disks.is-mounted"),
    "open": Message("disks.has-file-open"),
    "inside": Message("disks.has-working-directory"),
    "mapped": Message("disks.has-file-mapped"),
    "device": Message("disks.holds-device-open"),
    "stacked": Message("disks.is-stacked-device"),
    "loop": Message("disks.is-loop-device"),
}


class DiskHolder(NamedTuple):
    """A holder of a disk. ``what``: a mount point, or the name of a process or device; ``pid``: 0 for no process.

    For a mount in another mount namespace ``pid`` is a process of it.
    """

    how: How
    what: str
    pid: int = 0

    def to_json(self) -> dict[str, object]:
        """Return it as JSON, with its sentence."""
        return {**self._asdict(), "text": self.text().to_json()}

    def text(self) -> Sentence:
        """Return it as a sentence."""
        holding, shown_name = HOLDINGS[self.how], visible(self.what)
        holder = f"`{shown_name}`" + (f" ({self.pid})" if self.pid else "")
        return Message("common.beside", text=holder, more=holding)


def holders(number: int, ours: Collection[int] = (), limit: int = 100) -> tuple[DiskHolder, ...]:
    """Return the holders of the block device *number* or a filesystem on it, at most *limit*; without pids *ours*.

    A process is listed once for each kind of use.
    """
    distinct: dict[DiskHolder, None] = {}
    for holder in (*_stacked(number), *_mounts(number), *_loops(number), *_nodes(number, ours), *_files(number, ours)):
        distinct.setdefault(holder)
        if len(distinct) >= limit:
            break
    return tuple(distinct)


def taken(node: str) -> bool:
    """Return whether the device *node* is held exclusively: by a filesystem, container or tool. Raises ``OSError``."""
    try:
        os.close(os.open(node, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC))
    except OSError as error:
        if error.errno == errno.EBUSY:
            return True
        raise
    return False


def mounted_at(number: int) -> tuple[DiskHolder, ...]:
    """Return the mounts of the filesystem on *number*, in every mount namespace; our own covers do not count."""
    return tuple(_mounts(number))


def _mounts(number: int) -> Iterator[DiskHolder]:
    device, spaces = (os.major(number), os.minor(number)), set[int]()
    own_space = os.stat("/proc/self/ns/mnt").st_ino
    for pid in (os.getpid(), *_processes()):
        with contextlib.suppress(OSError, ValueError):
            space = os.stat(f"/proc/{pid}/ns/mnt").st_ino
            if space not in spaces:
                spaces.add(space)
                rows = mountinfo.parse(Path(f"/proc/{pid}/mountinfo").read_bytes())
                for row in mounting.uncovered(rows):
                    if row.device == device:
                        yield DiskHolder("mount", row.point, 0 if space == own_space else pid)


def _stacked(number: int) -> Iterator[DiskHolder]:
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/holders"):
            label = Path(f"/sys/block/{name}/dm/name")
            yield DiskHolder("stacked", label.read_text().strip() if label.exists() else name)


def _loops(number: int) -> Iterator[DiskHolder]:
    return (DiskHolder("loop", loop.node) for loop in loop_device.devices() if loop.device == number)


def _nodes(number: int, ours: Collection[int]) -> Iterator[DiskHolder]:
    for pid in _processes():
        if pid in ours:
            continue
        with contextlib.suppress(OSError):
            for thread in tables(pid).files:
                for name in os.listdir(f"/proc/{thread}/fd"):
                    with contextlib.suppress(OSError):
                        status = os.stat(f"/proc/{thread}/fd/{name}")
                        if stat.S_ISBLK(status.st_mode) and status.st_rdev == number:
                            yield DiskHolder("device", _comm(pid), pid)


def _files(number: int, ours: Collection[int]) -> Iterator[DiskHolder]:
    for held_file in held({number}):
        if held_file.how in _HOW and held_file.pid not in ours:
            yield DiskHolder(_HOW[held_file.how], _comm(held_file.pid), held_file.pid)


def _processes() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _comm(pid: int) -> str:
    with contextlib.suppress(OSError):
        return os.fsdecode(Path(f"/proc/{pid}/comm").read_bytes().strip())
    return "?"
