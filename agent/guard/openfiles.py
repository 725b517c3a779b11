"""Who holds files of a volume right now: descriptors, mappings, working and root directories.

Rules of this file: it looks, it never opens: ``stat`` of ``/proc/PID/fd/N`` follows to the file without an open event.
What it cannot see is said by the caller: descriptors in flight between processes, other hosts, copies. A process that
ends while it is looked at is skipped, because what it held is gone with it.
Sources: proc_pid_fd(5), proc_pid_map_files(5).
"""

import contextlib
import os
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Literal, NamedTuple

How = Literal["fd", "map", "cwd", "root"]


class Held(NamedTuple):
    """Process *pid* (descriptors are shared by its threads) holds inode (*device*, *inode*); *link* leads there."""

    pid: int
    device: int
    inode: int
    how: How
    link: str


def held(devices: AbstractSet[int]) -> Iterator[Held]:
    """Yield everything on *devices* that any process holds, this one excluded."""
    mine = os.getpid()
    for name in os.listdir("/proc"):
        if name.isdigit() and (pid := int(name)) != mine:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                yield from _of_process(pid, devices)


def _of_process(pid: int, devices: AbstractSet[int]) -> Iterator[Held]:
    yield from _if_on(f"/proc/{pid}/cwd", pid, devices, "cwd")
    yield from _if_on(f"/proc/{pid}/root", pid, devices, "root")
    for name in os.listdir(f"/proc/{pid}/fd"):
        yield from _if_on(f"/proc/{pid}/fd/{name}", pid, devices, "fd")
    for name in os.listdir(f"/proc/{pid}/map_files"):
        yield from _if_on(f"/proc/{pid}/map_files/{name}", pid, devices, "map")


def _if_on(link: str, pid: int, devices: AbstractSet[int], how: How) -> Iterator[Held]:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        found = os.stat(link)
        if found.st_dev in devices:
            yield Held(pid, found.st_dev, found.st_ino, how, link)
