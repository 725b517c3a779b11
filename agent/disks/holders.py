"""Who holds a disk: mounts in any mount namespace, processes, other devices on top of it, the kernel itself.

Rules of this file: it looks and changes nothing. What the kernel holds for itself (an NFS export, a swap file) has no
process; that somebody holds the disk is then told by the kernel's refusal to give it to us alone (open(2), O_EXCL).
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
from rules.text import Text
from rules.visible import visible

How = Literal["mount", "open", "inside", "mapped", "device", "stacked", "loop"]
_HOW: dict[str, How] = {"fd": "open", "map": "mapped", "cwd": "inside", "root": "inside"}

SAID = {
    "mount": Text("is mounted", "已挂载"),
    "open": Text("has a file of it open", "打开了其中的文件"),
    "inside": Text("stands in it", "当前目录位于其中"),
    "mapped": Text("has a file of it mapped", "映射了其中的文件"),
    "device": Text("has the device itself open", "打开了设备本身"),
    "stacked": Text("is a device on top of it", "为其上层设备"),
    "loop": Text("is a loop device over a file of it", "为其中文件的 loop 设备"),
}


class DiskHolder(NamedTuple):
    """``what`` is a mount point, or the name of a process or device; ``pid`` is 0 where there is no process.

    For a mount in another mount namespace ``pid`` is a process of it.
    """

    how: How
    what: str
    pid: int = 0

    def to_json(self) -> dict[str, object]:
        """Return it as JSON, with its sentence."""
        return {**self._asdict(), "text": self.text().to_json()}

    def text(self) -> Text:
        """Say it."""
        said, what = SAID[self.how], visible(self.what)
        who = f"`{what}`" + (f" ({self.pid})" if self.pid else "")
        return Text(f"{who} {said.en}", f"{who} {said.zh}")


def holders(number: int, ours: Collection[int] = (), limit: int = 100) -> tuple[DiskHolder, ...]:
    """Return who holds the block device *number* or a filesystem on it, at most *limit*; *ours* are left out.

    A process counts once for each way in which it holds something.
    """
    found: dict[DiskHolder, None] = {}
    for holder in (*_stacked(number), *_mounts(number), *_loops(number), *_nodes(number, ours), *_files(number, ours)):
        found.setdefault(holder)
        if len(found) >= limit:
            break
    return tuple(found)


def taken(node: str) -> bool:
    """Whether somebody holds the device *node* for himself: a filesystem, a container, a tool. Raises ``OSError``."""
    try:
        os.close(os.open(node, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC))
    except OSError as error:
        if error.errno == errno.EBUSY:
            return True
        raise
    return False


def mounted_at(number: int) -> tuple[DiskHolder, ...]:
    """Return the mounts of the filesystem on *number*, in every mount namespace; our own covers are none."""
    return tuple(_mounts(number))


def _mounts(number: int) -> Iterator[DiskHolder]:
    device, spaces = (os.major(number), os.minor(number)), set[int]()
    here = os.stat("/proc/self/ns/mnt").st_ino
    for pid in (os.getpid(), *_processes()):
        with contextlib.suppress(OSError, ValueError):
            space = os.stat(f"/proc/{pid}/ns/mnt").st_ino
            if space not in spaces:
                spaces.add(space)
                rows = mountinfo.parse(Path(f"/proc/{pid}/mountinfo").read_bytes())
                for row in mounting.uncovered(rows):
                    if row.device == device:
                        yield DiskHolder("mount", row.point, 0 if space == here else pid)


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
                        found = os.stat(f"/proc/{thread}/fd/{name}")
                        if stat.S_ISBLK(found.st_mode) and found.st_rdev == number:
                            yield DiskHolder("device", _comm(pid), pid)


def _files(number: int, ours: Collection[int]) -> Iterator[DiskHolder]:
    for item in held({number}):
        if item.how in _HOW and item.pid not in ours:
            yield DiskHolder(_HOW[item.how], _comm(item.pid), item.pid)


def _processes() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _comm(pid: int) -> str:
    with contextlib.suppress(OSError):
        return os.fsdecode(Path(f"/proc/{pid}/comm").read_bytes().strip())
    return "?"
