"""Open files of a volume: descriptors, mappings, working and root directories, files kept in rings.

Rules of this file: it never opens: ``stat`` of ``/proc/TID/fd/N`` follows to the file without an open event. A file in
an io_uring's own table (:mod:`agent.kernel.ring_tables`) has a name there and no inode, and the name may be of another
mount namespace: it is reported as ``ring``, without naming the file, once per process; so is a ring that cannot be
inspected. Descriptors sent and waiting in a socket cannot be named either: ``flight``. A process that passes files to a
child and ends before it is inspected is followed: the scan is over when no uninspected process is left. One that cannot
be finished ends with :data:`UNFINISHED`. Other hosts and copies are outside its scope; the caller reports that.
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

    Not *looked_into*: the content is unknown, and counts as held.
    """

    pid: int
    device: int
    inode: int
    how: How
    link: str
    looked_into: bool = True


UNFINISHED: Final = HeldFile(0, 0, 0, "unfinished", "")
"""Processes started and ended faster than they could be inspected."""


def held(
    devices: AbstractSet[int], *, flights: bool = False, pids: AbstractSet[int] | None = None
) -> Iterator[HeldFile]:
    """Yield every file on *devices* held by any process, this one excluded, and every ring that keeps files.

    With *flights* also every socket with waiting descriptors; that reads a file for each socket of the host. With
    *pids* only the files of these processes: their children are the caller's task.
    """
    inspected = {os.getpid()}
    scope = _Scope(devices, _anonymous(), flights, ring_tables.RingPatience())
    if pids is not None:
        for pid in sorted(pids - inspected):
            with _passing():
                yield from _of_process(pid, scope)
        return
    for _ in range(_ROUNDS):
        fresh = {int(name) for name in os.listdir("/proc") if name.isdigit()} - inspected
        if not fresh:
            return
        for pid in sorted(fresh):
            with _passing():
                yield from _of_process(pid, scope)
        inspected |= fresh
    yield UNFINISHED


class _Scope(NamedTuple):
    """The scope of a scan: these devices; the device of rings; sockets, when asked for."""

    devices: AbstractSet[int]
    rings: int
    flights: bool
    patience: ring_tables.RingPatience


class _Rings:
    """The rings of one process: those with a descriptor, so that their tables can be read, and whether one counted."""

    def __init__(self) -> None:
        self.described: set[int] = set()
        self.counted = False


def _of_process(pid: int, scope: _Scope) -> Iterator[HeldFile]:
    threads = tables(pid)
    for thread in threads.places:
        for how in _PLACES:
            yield from _on_device(f"/proc/{thread}/{how}", pid, scope, how)
    rings = _Rings()
    for thread in threads.files:
        with _passing():
            for name in os.listdir(f"/proc/{thread}/fd"):
                yield from _descriptor(f"/proc/{thread}/fd/{name}", pid, scope, rings)
    for thread in threads.memory:
        with _passing():
            for name in os.listdir(f"/proc/{thread}/map_files"):
                yield from _mapping(f"/proc/{thread}/map_files/{name}", pid, scope, rings)


def _on_device(link: str, pid: int, scope: _Scope, how: How) -> Iterator[HeldFile]:
    with _passing():
        status = os.stat(link)
        if status.st_dev in scope.devices:
            yield HeldFile(pid, status.st_dev, status.st_ino, how, link)


def _descriptor(link: str, pid: int, scope: _Scope, rings: _Rings) -> Iterator[HeldFile]:
    with _passing():
        status = os.stat(link)
        if status.st_dev in scope.devices:
            yield HeldFile(pid, status.st_dev, status.st_ino, "fd", link)
        elif status.st_dev == scope.rings and os.readlink(link) == _RING:
            rings.described.add(status.st_ino)
            keeps = None if rings.counted else ring_tables.keeps_files(_fdinfo(link), scope.patience)
            yield from _ring(pid, link, rings, keeps=keeps)
        elif scope.flights and stat.S_ISSOCK(status.st_mode) and _FLIGHTS.search(_read(_fdinfo(link))):
            yield HeldFile(pid, 0, 0, "flight", link)


def _mapping(link: str, pid: int, scope: _Scope, rings: _Rings) -> Iterator[HeldFile]:
    with _passing():
        status = os.stat(link)
        if status.st_dev in scope.devices:
            yield HeldFile(pid, status.st_dev, status.st_ino, "map", link)
        elif status.st_dev == scope.rings and status.st_ino not in rings.described and os.readlink(link) == _RING:
            # Its descriptor is hidden in the thread (IORING_REGISTER_RING_FDS).
            yield from _ring(pid, link, rings, keeps=None)


def _ring(pid: int, link: str, rings: _Rings, *, keeps: bool | None) -> Iterator[HeldFile]:
    """Yield the finding for a ring that *keeps* files, ``None`` if unknown; nothing if another one counted."""
    if keeps is not False and not rings.counted:
        rings.counted = True
        yield HeldFile(pid, 0, 0, "ring", link, looked_into=keeps is not None)


def _passing() -> contextlib.suppress:
    """Suppress the errors of objects that end while they are inspected: what they held is released."""
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
