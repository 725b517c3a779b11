"""Who holds files of a volume right now: descriptors, mappings, working and root directories, files kept in rings.

Rules of this file: it looks, it never opens: ``stat`` of ``/proc/TID/fd/N`` follows to the file without an open event.
What an io_uring keeps in its own table (io_uring_register(2)) has a name there and no inode, and the name may be of
another mount namespace: it is told as ``ring``, which file cannot be said. Nor can it be of descriptors that were sent
and wait in a socket: ``flight``. Whoever passes what it holds to a child and ends before it is looked at is followed:
the look is over when no process is left that has not been looked at. One that cannot be finished says so with
:data:`UNFINISHED`. What nobody can see is said by the caller: other hosts, copies.
Sources: proc_pid_fd(5), proc_pid_map_files(5), proc_pid_fdinfo(5), SCM_RIGHTS in unix(7).
"""

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final, Literal, NamedTuple

from agent.kernel.task_tables import tables

How = Literal["fd", "map", "cwd", "root", "ring", "flight", "unfinished"]

_PLACES: Final[tuple[How, ...]] = ("cwd", "root")
_ROUNDS: Final = 64
_RING: Final = "anon_inode:[io_uring]"
_FLIGHTS: Final = re.compile(rb"^scm_fds:\s*[1-9]", re.MULTILINE)  # of a listener: in connections not accepted yet too


class HeldFile(NamedTuple):
    """Process *pid* holds inode (*device*, *inode*); *link* leads there. Where no file can be named both are 0."""

    pid: int
    device: int
    inode: int
    how: How
    link: str


UNFINISHED: Final = HeldFile(0, 0, 0, "unfinished", "")
"""Processes came and went faster than they could be looked at."""


def held(
    devices: AbstractSet[int], *, flights: bool = False, pids: AbstractSet[int] | None = None
) -> Iterator[HeldFile]:
    """Yield everything on *devices* that any process holds, this one excluded, and every ring that keeps files.

    With *flights* also every socket that descriptors wait in; that takes a read for each socket of the host. With
    *pids* only what these processes hold: who follows them is for the caller, who knows whose they are.
    """
    seen = {os.getpid()}
    where = _Where(devices, _anonymous(), flights)
    if pids is not None:
        for pid in sorted(pids - seen):
            with _passing():
                yield from _of_process(pid, where)
        return
    for _ in range(_ROUNDS):
        fresh = {int(name) for name in os.listdir("/proc") if name.isdigit()} - seen
        if not fresh:
            return
        for pid in sorted(fresh):
            with _passing():
                yield from _of_process(pid, where)
        seen |= fresh
    yield UNFINISHED


class _Where(NamedTuple):
    """What counts: inodes of these devices; rings, which live on that one; sockets, when asked for."""

    devices: AbstractSet[int]
    rings: int
    flights: bool


def _of_process(pid: int, where: _Where) -> Iterator[HeldFile]:
    shown = tables(pid)
    for thread in shown.places:
        for how in _PLACES:
            yield from _on_device(f"/proc/{thread}/{how}", pid, where, how)
    rings: set[int] = set()  # with a descriptor, so that their tables can be read
    for thread in shown.files:
        with _passing():
            for name in os.listdir(f"/proc/{thread}/fd"):
                yield from _descriptor(f"/proc/{thread}/fd/{name}", pid, where, rings)
    for thread in shown.memory:
        with _passing():
            for name in os.listdir(f"/proc/{thread}/map_files"):
                yield from _mapping(f"/proc/{thread}/map_files/{name}", pid, where, rings)


def _on_device(link: str, pid: int, where: _Where, how: How) -> Iterator[HeldFile]:
    with _passing():
        found = os.stat(link)
        if found.st_dev in where.devices:
            yield HeldFile(pid, found.st_dev, found.st_ino, how, link)


def _descriptor(link: str, pid: int, where: _Where, rings: set[int]) -> Iterator[HeldFile]:
    with _passing():
        found = os.stat(link)
        if found.st_dev in where.devices:
            yield HeldFile(pid, found.st_dev, found.st_ino, "fd", link)
        elif found.st_dev == where.rings and os.readlink(link) == _RING:
            rings.add(found.st_ino)
            if _keeps_files(_fdinfo(link)):
                yield HeldFile(pid, 0, 0, "ring", link)
        elif where.flights and stat.S_ISSOCK(found.st_mode) and _FLIGHTS.search(_fdinfo(link)):
            yield HeldFile(pid, 0, 0, "flight", link)


def _mapping(link: str, pid: int, where: _Where, rings: set[int]) -> Iterator[HeldFile]:
    with _passing():
        found = os.stat(link)
        if found.st_dev in where.devices:
            yield HeldFile(pid, found.st_dev, found.st_ino, "map", link)
        elif found.st_dev == where.rings and found.st_ino not in rings and os.readlink(link) == _RING:
            yield HeldFile(pid, 0, 0, "ring", link)  # its descriptor is hidden in the thread (IORING_REGISTER_RING_FDS)


def _passing() -> contextlib.suppress:
    """What goes away while it is looked at is gone, and what it held with it."""
    return contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError)


def _keeps_files(fdinfo: bytes) -> bool:
    """Whether the table of a ring has a file in it: not a socket, a pipe or the like.

    Only files have a name that begins with a slash. ``UserFiles`` is followed by one line for each.
    """
    _, _, table = fdinfo.partition(b"\nUserFiles:")
    for line in table.splitlines()[1:]:
        number, colon, name = line.partition(b": ")
        if not (colon and number.strip().isdigit()):
            return False
        if name.startswith(b"/"):
            return True
    return False


def _fdinfo(link: str) -> bytes:
    with open(link.replace("/fd/", "/fdinfo/"), "rb") as file:
        return file.read()


def _anonymous() -> int:
    """Return the device of the filesystem that rings live on."""
    fd = os.eventfd(0)
    try:
        return os.fstat(fd).st_dev
    finally:
        os.close(fd)
