"""The program of a process: the file that it executes, never the text of a path.

Rules of this file: in a mount namespace of their own anybody gives any path to any file, so a program counts in the
initial mount namespace only; and in the initial user namespace only, because in another one a process may claim to
execute another file (prctl(2) ``PR_SET_MM_MAP``). A program is never stronger than its uid: a process with the uid can
put its own code into it (ptrace(2), ``LD_PRELOAD`` of ld.so(8)). Trusted: device, inode and change time, as the kernel
reports them for the file; the change time moves with every write, link, rename and change of owner or mode, and cannot
be set. Reading asks the filesystem of the program, so callers first make sure that only root can have put the program
there.
Sources: proc_pid_exe(5), namespaces(7), user_namespaces(7), inode(7).
"""

import os
from typing import NamedTuple

FIRST_USER_NAMESPACE = "user:[4026531837]"  # PROC_USER_INIT_INO in linux/proc_ns.h


class Program(NamedTuple):
    """One state of one file. ``changed`` is its change time, in nanoseconds; ``size`` is in bytes."""

    device: int
    inode: int
    changed: int
    size: int


def at(path: str | bytes) -> Program:
    """Return the program at *path*. Raises ``OSError``."""
    return of(os.stat(path))


def of(status: os.stat_result) -> Program:
    """Return the program that stat(2) describes."""
    return Program(status.st_dev, status.st_ino, status.st_ctime_ns, status.st_size)


class FirstNamespaces:
    """The initial mount and user namespaces: those of PID 1, read once at construction."""

    def __init__(self) -> None:
        own = os.readlink("/proc/self/ns/mnt")
        try:
            self.mounts = os.readlink("/proc/1/ns/mnt")
            self.told = True
        except OSError:  # PID 1 cannot be inspected: a difference cannot be determined
            self.mounts, self.told = own, False
        self.ours = own == self.mounts

    def executed(self, folder: int) -> Program | None:
        """Return the program of the task at the descriptor *folder* of ``/proc/TID``, ``None`` where it means nothing.

        That is outside these namespaces, and for a kernel thread. Raises ``OSError`` when the task has ended.
        """
        if os.readlink("ns/mnt", dir_fd=folder) != self.mounts:
            return None
        if os.readlink("ns/user", dir_fd=folder) != FIRST_USER_NAMESPACE:
            return None
        try:
            return of(os.stat("exe", dir_fd=folder))
        except FileNotFoundError:
            return None
