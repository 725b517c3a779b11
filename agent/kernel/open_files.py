"""Who holds files of a volume right now: descriptors, mappings, working and root directories, files kept in rings.

Rules of this file: it looks, it never opens: ``stat`` of ``/proc/TID/fd/N`` follows to the file without an open event.
What an io_uring keeps in its own table (:mod:`agent.kernel.ring_tables`) has a name there and no inode, and the name
may be of another mount namespace: it is told as ``ring``, which file cannot be said, once for a process; so is a ring
that cannot be looked into. Nor can it be said of descriptors that were sent and wait in a socket: ``flight``. Whoever
passes what it holds to a child and ends before it is looked at is followed: the look is over when no process is left
that has not been looked at. One that cannot be finished says so with :data:`UNFINISHED`. What nobody can see is said by
the caller: other hosts, copies.
Sources: proc_pid_fd(5), proc_pid_map_files(5), proc_pid_fdinfo(5), SCM_RIGHTS in unix(7).
"""

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final, Literal, NamedTuple

from agent.kernel import ring_tables
from agent.kernel.task_tables import tables

How = Literal["fd", "map", "cwd", "root", "ring", "flight", "unfinished"]

_PLACES: Final[tuple[How, ...]] = ("cwd", "root")
_ROUNDS: Final = 64
_RING: Final = "anon_inode:[io_uring]"
_FLIGHTS: Final = re.compile(rb"^scm_fds:\s*[1-9]", re.MULTILINE)  # of a listener: in connections not accepted yet too


class HeldFile(NamedTuple):
    """Process *pid* holds inode (*device*, *inode*); *link* leads there. Where no file can be named both are 0.

    Not *looked_into*: whether anything is held there is not known, and counts as if it were.
    """

    pid: int
    device: int
    inode: int
    how: How
    link: str
    looked_into: bool = True


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
    where = _Where(devices, _anonymous(), flights, ring_tables.RingPatience())
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
    patience: ring_tables.RingPatience


class _Rings:
    """The rings of one process: those with a descriptor, so that their tables can be read, and whether one counted."""

    def __init__(self) -> None:
        self.described: set[int] = set()
        self.counted = False


def _of_process(pid: int, where: _Where) -> Iterator[HeldFile]:
    shown = tables(pid)
    for thread in shown.places:
        for how in _PLACES:
            yield from _on_device(f"/proc/{thread}/{how}", pid, where, how)
    rings = _Rings()
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


def _descriptor(link: str, pid: int, where: _Where, rings: _Rings) -> Iterator[HeldFile]:
    with _passing():
        found = os.stat(link)
        if found.st_dev in where.devices:
            yield HeldFile(pid, found.st_dev, found.st_ino, "fd", link)
        elif found.st_dev == where.rings and os.readlink(link) == _RING:
            rings.described.add(found.st_ino)
            keeps = None if rings.counted else ring_tables.keeps_files(_fdinfo(link), where.patience)
            yield from _ring(pid, link, rings, keeps=keeps)
        elif where.flights and stat.S_ISSOCK(found.st_mode) and _FLIGHTS.search(_read(_fdinfo(link))):
            yield HeldFile(pid, 0, 0, "flight", link)


def _mapping(link: str, pid: int, where: _Where, rings: _Rings) -> Iterator[HeldFile]:
    with _passing():
        found = os.stat(link)
        if found.st_dev in where.devices:
            yield HeldFile(pid, found.st_dev, found.st_ino, "map", link)
        elif found.st_dev == where.rings and found.st_ino not in rings.described and os.readlink(link) == _RING:
            # Its descriptor is hidden in the thread (IORING_REGISTER_RING_FDS).
            yield from _ring(pid, link, rings, keeps=None)


def _ring(pid: int, link: str, rings: _Rings, *, keeps: bool | None) -> Iterator[HeldFile]:
    """Yield what a ring that *keeps* files comes to, ``None`` if that is unknown; nothing if another one counted."""
    if keeps is not False and not rings.counted:
        rings.counted = True
        yield HeldFile(pid, 0, 0, "ring", link, looked_into=keeps is not None)


def _passing() -> contextlib.suppress:
    """What goes away while it is looked at is gone, and what it held with it."""
    return contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError)


def _fdinfo(link: str) -> str:
    return link.replace("/fd/", "/fdinfo/")


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _anonymous() -> int:
    """Return the device of the filesystem that rings live on."""
    fd = os.eventfd(0)
    try:
        return os.fstat(fd).st_dev
    finally:
        os.close(fd)
