"""Subjects: the identity behind an open, read from the kernel per thread and afresh for every event (contract C4).

Rules of this file: descriptors are kept, and values are read through them every time. A pidfd and the descriptors of
``/proc/TID`` belong to one task for ever: after its death they answer ESRCH, so a reused number is noticed and never
mistaken (verified on 5.10, too, which has no pidfd of a thread: ``tests/long/guest_checks.py`` reuses a number). The
thread that waits for the answer cannot change its own credentials meanwhile, so these are the credentials of the open.
Where the kernel does not return them in one call, credentials are read from ``/proc/TID/status``. A thread that
*impersonates* acts for another person and can take on any other identity: its identity when it uses an open file proves
nothing. An io_uring worker has the identity of its creator, and opens with another one. Trusted: the kernel's
credentials and login uid. Not trusted, and recorded as claimed: ``comm``.
Sources: PIDFD_GET_INFO (linux/pidfd.h, 6.13), PIDFD_THREAD (6.9), proc_pid_status(5), proc_pid_stat(5),
proc_pid_loginuid(5), user_namespaces(7); ``PF_IO_WORKER`` in linux/sched.h, ``PROC_USER_INIT_INO`` in linux/proc_ns.h.
"""

import ctypes
import errno
import fcntl
import os
import re
import struct
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from agent.confinement.capabilities import CAP_SETUID
from agent.kernel.program import FIRST_USER_NAMESPACE, Program
from agent.kernel.start_time import start_time
from agent.runtime.json_string import json_string

UNSET = 0xFFFFFFFF  # a login uid that was never set; it is nobody's, and above all not root's

_PIDFD_THREAD = os.O_EXCL
_PIDFD_GET_INFO = 3 << 30 | 64 << 16 | 0xFF << 8 | 11
_INFO = struct.Struct("=QQ12I")  # mask, cgroup, pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid, exit
_PIDFD_INFO_CREDS = 2
_SYS_PIDFD_OPEN = 434
_KEPT = 256  # tasks whose descriptors are kept; four descriptors each
_IDENTITIES = 64  # remembered of one task
_ASK_CREDENTIALS = struct.pack("=Q", _PIDFD_INFO_CREDS)
_STATUS_LINES = re.compile(rb"^(?:Tgid|Uid):.*\n", re.MULTILINE)
_PERMITTED = re.compile(rb"^CapPrm:\s*([0-9a-f]+)$", re.MULTILINE)
_WITH_GROUPS = 1 << 16  # bytes; with more groups than fit, the capability counts as held
_PF_IO_WORKER = 0x10
_FLAGS = 9 - 3  # field 9 of proc_pid_stat(5), counted from the first one behind the name

_libc = ctypes.CDLL(None, use_errno=True)


class TaskGoneError(Exception):
    """The task ended, or cannot be seen from here, before its identity was read. That is a deny."""


@dataclass(slots=True)
class Subject:
    """The identity of one thread at one moment. ``loginuid`` is ``None`` when it was never set.

    ``impersonates``: it acts for another person, and can take on any identity. Only then the following are known:
    ``started``, the start time of its process (:mod:`agent.kernel.start_time`), and ``worker``, whether it is an
    io_uring worker. ``program`` is the executed file, where it matters, and ``let_in`` is false when it has no login
    and no registered program has admitted it: :mod:`agent.guard.identities` sets both.
    """

    fsuid: int
    loginuid: int | None
    ruid: int
    tgid: int
    tid: int
    executable: bytes  # b"" for kernel threads; ends with b" (deleted)" when the file is gone
    comm: bytes
    impersonates: bool = False
    started: int = 0
    worker: bool = False
    program: Program | None = None
    let_in: bool = True
    _fields: bytes = b""
    _variant: "Subject | None" = field(
        default=None, compare=False, repr=False
    )  # the last result of :meth:`with_program`

    @property
    def fields(self) -> bytes:
        """Its part of a log entry, as JSON."""
        if not self._fields:
            self._fields = self._render().encode()
        return self._fields

    def with_program(self, program: Program | None, *, let_in: bool) -> "Subject":
        """Return the same thread with its program, and whether it was admitted."""
        if (self.program, self.let_in) == (program, let_in):
            return self
        variant = self._variant
        if variant is None or (variant.program, variant.let_in) != (program, let_in):
            variant = self._variant = replace(self, program=program, let_in=let_in, _variant=None)
        return variant

    def _render(self) -> str:
        return (
            f'"fsuid":{self.fsuid},"loginuid":{"null" if self.loginuid is None else self.loginuid},"ruid":{self.ruid},'
            f'"pid":{self.tgid},"tid":{self.tid},"exe":{json_string(self.executable)},"comm":{json_string(self.comm)}'
        )


class _Task:
    """The descriptors of one task, and the last values read through them. Owner: :class:`Tasks`.

    ``last_read`` are the bytes of the last reading; while they stay the same, ``subject`` still describes them.
    ``by_reading`` has the subjects of earlier readings: a server takes the same identities again and again. ``buffer``
    is the argument of PIDFD_GET_INFO: a writable one halves the time of ``ioctl``. The pidfd comes first: if the number
    changed hands between the two opens, the older descriptor is the dead one. Without PIDFD_GET_INFO there is none
    (-1), and all is read through the one descriptor of ``/proc/TID``.
    """

    __slots__ = ("buffer", "by_reading", "last_read", "loginuid", "pidfd", "proc", "status", "subject", "worker")

    def __init__(self, tid: int, *, pidfd: bool) -> None:
        self.pidfd = self.proc = self.loginuid = self.status = -1
        self.buffer = bytearray(_INFO.size)
        self.last_read: tuple[bytes, bytes, bytes] | None = None
        self.subject: Subject | None = None
        self.by_reading: dict[tuple[bytes, bytes, bytes], Subject] = {}
        self.worker: bool | None = None
        try:
            if pidfd:
                self.pidfd = _pidfd_open(tid)
            self.proc = os.open(f"/proc/{tid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            self.loginuid = os.open("loginuid", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.proc)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        for fd in (self.pidfd, self.proc, self.loginuid, self.status):
            if fd >= 0:
                os.close(fd)
        self.pidfd = self.proc = self.loginuid = self.status = -1


class Tasks:
    """Identities by thread id. One reader only; bounded memory and descriptors."""

    def __init__(self, *, pidfd_info: bool = True) -> None:
        self._tasks: OrderedDict[int, _Task] = OrderedDict()
        self._pidfd = pidfd_info
        self._credentials = _by_pidfd if pidfd_info else _by_status
        self._uids = _uids_of_info if pidfd_info else _uids_of_status

    def identify(self, tid: int) -> Subject:
        """Return the present subject of thread *tid*. Raises :class:`TaskGoneError` when it has ended or is hidden."""
        if tid <= 0:
            raise TaskGoneError
        task = self._tasks.get(tid)
        if task is not None:
            try:
                return self._read(task, tid)
            except OSError:  # that task has ended; its number may belong to another one
                self.forget(tid)
        try:
            task = self._tasks[tid] = _Task(tid, pidfd=self._pidfd)
            if len(self._tasks) > _KEPT:
                self._tasks.popitem(last=False)[1].close()
            return self._read(task, tid)
        except OSError as error:
            self.forget(tid)
            raise TaskGoneError from error

    def folder(self, tid: int) -> int:
        """Return the descriptor of ``/proc/TID`` of a thread that was just identified; it stays owned here.

        Raises :class:`TaskGoneError` when it is not kept any more.
        """
        task = self._tasks.get(tid)
        if task is None:
            raise TaskGoneError
        return task.proc

    def forget(self, tid: int) -> None:
        """Drop the descriptors of *tid*."""
        task = self._tasks.pop(tid, None)
        if task is not None:
            task.close()

    def close(self) -> None:
        """Drop everything."""
        for tid in list(self._tasks):
            self.forget(tid)

    def _read(self, task: _Task, tid: int) -> Subject:
        try:
            executable = os.readlink(b"exe", dir_fd=task.proc)
        except FileNotFoundError:  # kernel threads have none; a task that died raises ESRCH
            executable = b""
        reading = (self._credentials(task), os.pread(task.loginuid, 16, 0), executable)
        if reading == task.last_read and task.subject is not None:
            return task.subject
        task.last_read = (bytes(reading[0]), *reading[1:])
        task.subject = task.by_reading.get(task.last_read)
        if task.subject is not None:
            return task.subject
        tgid, ruid, euid, suid, fsuid = self._uids(reading[0])
        login = int(reading[1])
        started = 0
        if impersonates := bool(fsuid) and (0 in (ruid, euid, suid) or _may_become_others(task)):
            started = start_time(tgid) or 0
            if task.worker is None:
                task.worker = _is_worker(task)
        comm = _first_line(task.proc, "comm")
        loginuid = None if login == UNSET else login
        task.subject = Subject(
            fsuid, loginuid, ruid, tgid, tid, executable, comm, impersonates, started, bool(task.worker)
        )
        if len(task.by_reading) >= _IDENTITIES:
            task.by_reading.clear()
        task.by_reading[task.last_read] = task.subject
        return task.subject


def _may_become_others(task: _Task) -> bool:
    """Return whether it has CAP_SETUID on this host; in another user namespace it only covers its own uids."""
    held = _PERMITTED.search(_status(task, _WITH_GROUPS))
    if held is not None and not int(held[1], 16) >> CAP_SETUID & 1:
        return False
    return os.readlink("ns/user", dir_fd=task.proc) == FIRST_USER_NAMESPACE


def _is_worker(task: _Task) -> bool:
    fd = os.open("stat", os.O_RDONLY | os.O_CLOEXEC, dir_fd=task.proc)
    try:
        return bool(int(os.read(fd, 1024).rpartition(b")")[2].split()[_FLAGS]) & _PF_IO_WORKER)
    finally:
        os.close(fd)


def _by_pidfd(task: _Task) -> bytearray:
    buffer = task.buffer
    buffer[:8] = _ASK_CREDENTIALS  # overwritten by the last answer
    fcntl.ioctl(task.pidfd, _PIDFD_GET_INFO, buffer)
    return buffer


def _uids_of_info(raw: bytes | bytearray) -> tuple[int, int, int, int, int]:
    fields = _INFO.unpack(raw)
    if not fields[0] & _PIDFD_INFO_CREDS:
        raise OSError(errno.ESRCH, "no credentials")
    return fields[3], fields[5], fields[7], fields[9], fields[11]


def _by_status(task: _Task) -> bytes:
    return b"".join(_STATUS_LINES.findall(_status(task)))


def _status(task: _Task, most: int = 4096) -> bytes:
    if task.status < 0:
        task.status = os.open("status", os.O_RDONLY | os.O_CLOEXEC, dir_fd=task.proc)
    return os.pread(task.status, most, 0)


def _uids_of_status(raw: bytes | bytearray) -> tuple[int, int, int, int, int]:
    fields = raw.split()  # Tgid: n Uid: real effective saved filesystem
    if len(fields) != 7:
        raise OSError(errno.ESRCH, "no credentials")
    ruid, euid, suid, fsuid = map(int, fields[3:7])
    return int(fields[1]), ruid, euid, suid, fsuid


def pidfd_info_works() -> bool:
    """Return whether this kernel answers PIDFD_GET_INFO for a thread, probed on this process."""
    tasks = Tasks()
    try:
        return tasks.identify(threading.get_native_id()).fsuid == os.geteuid()
    except TaskGoneError:
        return False
    finally:
        tasks.close()


def _pidfd_open(tid: int) -> int:
    """Return a pidfd of one thread. Raises ``OSError``: EINVAL before 6.9, where only processes had one."""
    fd = int(_libc.syscall(_SYS_PIDFD_OPEN, tid, _PIDFD_THREAD))
    if fd < 0:
        raise OSError(ctypes.get_errno(), "pidfd_open")
    return fd


def _first_line(directory: int, name: str) -> bytes:
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
    try:
        return os.read(fd, 64).rstrip(b"\n")
    finally:
        os.close(fd)
