"""Which program a process runs: the file that it executes, and never the text of a path.

Rules of this file: whoever has a mount namespace of their own gives any path to any file, so a program counts in the
initial mount namespace alone; and in the initial user namespace alone, because in one of their own anybody may say of
themselves that they execute another file (prctl(2) ``PR_SET_MM_MAP``). A program is never stronger than the uid that
runs it: whoever has the uid can put code of theirs into the process (ptrace(2), ``LD_PRELOAD`` of ld.so(8)).
Trusted: device, inode and change time, as the kernel says them of the file itself; the last one moves with every write,
link, rename and change of owner or mode, and nobody can set it. Looking asks the filesystem of the program, so whoever
calls this makes sure first that nobody but root has put the program there.
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
    """Return what lies at *path*. Raises ``OSError``."""
    return of(os.stat(path))


def of(seen: os.stat_result) -> Program:
    """Return the program that stat(2) describes."""
    return Program(seen.st_dev, seen.st_ino, seen.st_ctime_ns, seen.st_size)


class FirstNamespaces:
    """The initial mount and user namespaces: those of PID 1. Looked at once, when it is made."""

    def __init__(self) -> None:
        own = os.readlink("/proc/self/ns/mnt")
        try:
            self.mounts = os.readlink("/proc/1/ns/mnt")
            self.told = True
        except OSError:  # PID 1 may not be looked into: then nobody can say that ours is another one
            self.mounts, self.told = own, False
        self.ours = own == self.mounts

    def executed(self, folder: int) -> Program | None:
        """Return what the task at the descriptor *folder* of ``/proc/TID`` executes, ``None`` where that says nothing.

        That is outside of these namespaces, and of a kernel thread. Raises ``OSError`` when the task has ended.
        """
        if os.readlink("ns/mnt", dir_fd=folder) != self.mounts:
            return None
        if os.readlink("ns/user", dir_fd=folder) != FIRST_USER_NAMESPACE:
            return None
        try:
            return of(os.stat("exe", dir_fd=folder))
        except FileNotFoundError:
            return None
