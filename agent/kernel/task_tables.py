"""Task tables: the threads of a process with their own descriptors, working directory or memory.

Rules of this file: ``/proc/PID/fd`` shows the table of the first thread only. A thread may have its own
(``CLONE_FILES`` and ``CLONE_FS`` in unshare(2)), and an ended first thread shows none while the others live on. So one
thread is named for every different table, found by kcmp(2); where that is not permitted, every thread is.
"""

import ctypes
import os
import platform
from collections.abc import Iterable
from typing import NamedTuple

_GENERIC = 272  # asm-generic/unistd.h, used by every newer architecture
_KCMP = {"x86_64": 312, "aarch64": _GENERIC, "loongarch64": _GENERIC, "riscv64": _GENERIC}.get(platform.machine(), -1)
_VM, _FILES, _FS = 1, 2, 3  # linux/kcmp.h

_libc = ctypes.CDLL(None, use_errno=True)


class Tables(NamedTuple):
    """Thread numbers, usable as ``/proc/TID``: together they show everything the process holds."""

    files: tuple[int, ...]
    places: tuple[int, ...]
    memory: tuple[int, ...]


def tables(pid: int) -> Tables:
    """Return the threads that show what process *pid* holds. Raises ``OSError`` when it is gone."""
    threads = [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    return Tables(*(_different(threads, kind) for kind in (_FILES, _FS, _VM)))


def _different(threads: Iterable[int], kind: int) -> tuple[int, ...]:
    """Return one of *threads* for each table of this *kind*, and those the kernel cannot compare."""
    ordered: list[int] = []  # as kcmp orders their tables, so that a thousand tables take ten thousand questions
    alone: list[int] = []
    for thread in threads:
        low, high = 0, len(ordered)
        while low < high:
            middle = (low + high) // 2
            order = _libc.syscall(_KCMP, thread, ordered[middle], kind, 0, 0)
            if order == 0:
                break
            if order == 1:
                high = middle
            elif order == 2:
                low = middle + 1
            else:  # it ended, or comparing is not permitted
                alone.append(thread)
                break
        else:
            ordered.insert(low, thread)
    return (*ordered, *alone)
