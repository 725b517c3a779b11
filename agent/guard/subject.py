"""Who is behind an open: read from the kernel, per thread, afresh for every event (contract C4).

Rules of this file: descriptors are kept, values never. A pidfd and the descriptors of ``/proc/TID`` belong to one
task for ever: when it has died they answer ESRCH, so a reused number is noticed and never mistaken. The thread that
waits for our answer cannot change its own credentials meanwhile, so what is read here is what it opens with.
Trusted: the kernel's credentials and login uid. Not trusted, and recorded as claimed: ``comm``.
Sources: PIDFD_GET_INFO (linux/pidfd.h, 6.13), PIDFD_THREAD (6.9), proc_pid_status(5), proc_pid_loginuid(5).
"""

import ctypes
import errno
import fcntl
import os
import re
import struct
from collections import OrderedDict
from typing import NamedTuple

from agent.guard.smb import client_address

UNSET = 0xFFFFFFFF  # a login uid that was never set; it is nobody's, and above all not root's

_PIDFD_THREAD = os.O_EXCL
_PIDFD_GET_INFO = 3 << 30 | 64 << 16 | 0xFF << 8 | 11
_INFO = struct.Struct("=QQ12I")  # mask, cgroup, pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid, exit
_PIDFD_INFO_CREDS = 2
_SYS_PIDFD_OPEN = 434
_KEPT = 256  # tasks whose descriptors are kept; four descriptors each
_UIDS = re.compile(rb"^Tgid:\s+(\d+).*?^Uid:\s+(\d+)\s+\d+\s+\d+\s+(\d+)", re.MULTILINE | re.DOTALL)

_libc = ctypes.CDLL(None, use_errno=True)


class Gone(Exception):
    """The task ended, or cannot be seen from here, before its identity was read. That is a deny."""


class Subject(NamedTuple):
    """The identity of one thread at one moment. ``loginuid`` is ``None`` when it was never set."""

    fsuid: int
    loginuid: int | None
    ruid: int
    tgid: int
    executable: bytes  # b"" for kernel threads; ends with b" (deleted)" when the file is gone
    comm: bytes
    client: str | None  # the peer of an SMB server process


class _Task:
    """The descriptors of one task. Owner: :class:`Tasks`; never shared between threads."""

    __slots__ = ("client", "comm", "executable", "loginuid", "pidfd", "proc", "status")

    def __init__(self, tid: int) -> None:
        self.pidfd = self.proc = self.loginuid = self.status = -1
        self.executable: bytes | None = None
        self.comm = b""
        self.client: str | None = None
        try:
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
        self._buffer = bytearray(_INFO.size)
        self._uids = self._uids_by_pidfd if pidfd_info else self._uids_by_status
        self._logins: dict[bytes, int | None] = {}

    def identify(self, tid: int) -> Subject:
        """Return who thread *tid* is now. Raises :class:`Gone` when it has ended or is out of sight."""
        if tid <= 0:
            raise Gone
        task = self._tasks.get(tid)
        if task is not None:
            try:
                return self._read(task, tid)
            except OSError:  # that task is gone; the number may belong to another by now
                self.forget(tid)
        try:
            task = self._tasks[tid] = _Task(tid)
            if len(self._tasks) > _KEPT:
                self._tasks.popitem(last=False)[1].close()
            return self._read(task, tid)
        except OSError as error:
            self.forget(tid)
            raise Gone from error

    def forget(self, tid: int) -> None:
        """Drop what is kept of *tid*."""
        task = self._tasks.pop(tid, None)
        if task is not None:
            task.close()

    def close(self) -> None:
        """Drop everything."""
        for tid in list(self._tasks):
            self.forget(tid)

    def _read(self, task: _Task, tid: int) -> Subject:
        tgid, ruid, fsuid = self._uids(task)
        said = os.pread(task.loginuid, 16, 0)
        try:
            loginuid = self._logins[said]
        except KeyError:
            number = int(said)
            loginuid = self._logins[said] = None if number == UNSET else number
        try:
            executable = os.readlink(b"exe", dir_fd=task.proc)
        except FileNotFoundError:  # kernel threads have none; a task that died raises ESRCH
            executable = b""
        if executable != task.executable:
            task.executable = executable
            task.comm = _first_line(task.proc, "comm")
            task.client = client_address(tgid) if executable.endswith(b"/smbd") else None
        return Subject(fsuid, loginuid, ruid, tgid, executable, task.comm, task.client)

    def _uids_by_pidfd(self, task: _Task) -> tuple[int, int, int]:
        buffer = self._buffer
        _INFO.pack_into(buffer, 0, _PIDFD_INFO_CREDS, *(0,) * 13)
        fcntl.ioctl(task.pidfd, _PIDFD_GET_INFO, buffer, True)
        info = _INFO.unpack(buffer)
        if not info[0] & _PIDFD_INFO_CREDS:
            raise OSError(errno.ESRCH, "no credentials")
        return info[3], info[5], info[11]

    def _uids_by_status(self, task: _Task) -> tuple[int, int, int]:
        if task.status < 0:
            task.status = os.open("status", os.O_RDONLY | os.O_CLOEXEC, dir_fd=task.proc)
        found = _UIDS.search(os.pread(task.status, 4096, 0))
        if found is None:
            raise OSError(errno.ESRCH, "no credentials")
        tgid, ruid, fsuid = map(int, found.groups())
        return tgid, ruid, fsuid


def pidfd_info_works() -> bool:
    """Whether this kernel answers PIDFD_GET_INFO for a thread; probed on ourselves, not read off a version."""
    try:
        tasks = Tasks()
        return tasks.identify(os.getpid()).fsuid == os.geteuid()
    except Gone:
        return False


def _pidfd_open(tid: int) -> int:
    fd = int(_libc.syscall(_SYS_PIDFD_OPEN, tid, _PIDFD_THREAD))
    if fd >= 0:
        return fd
    if ctypes.get_errno() == errno.EINVAL:  # before 6.9 a pidfd was for thread-group leaders: /proc/TID serves alone
        return -1
    raise OSError(ctypes.get_errno(), "pidfd_open")


def _first_line(directory: int, name: str) -> bytes:
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
    try:
        return os.read(fd, 64).rstrip(b"\n")
    finally:
        os.close(fd)
