"""Ancestors of a process: its parent, the parent's parent, and so on.

Rules of this file: the kernel names a parent by a number, and numbers are reused. A descriptor of the parent's folder
counts once the child has been read a second time: a child whose parent has ended names another one by then, so the
folder was its parent's. An ended parent is no ancestor any more: a process adopted by PID 1 has none, and PID 1 itself
is none.
Sources: proc_pid_status(5), pid_namespaces(7) for the adoption of orphans.
"""

import os
from collections.abc import Callable

from agent.kernel import task_identity

_DEEPEST = 16  # ancestors; further ones are not checked


def any_of(folder: int, wanted: Callable[[int, int], bool]) -> bool:
    """Return whether *wanted* is true of the task at the descriptor *folder* of ``/proc/TID``, or of one of its
    ancestors.

    *wanted* gets such a descriptor and the real uid. It is not true of a task that has ended meanwhile.
    """
    held: list[int] = []
    try:
        for _ in range(_DEEPEST):
            ruid, parent = _status(folder)
            if wanted(folder, ruid):
                return True
            if parent <= 1:
                return False
            above = os.open(f"/proc/{parent}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            held.append(above)
            if _status(folder)[1] != parent:
                return False
            folder = above
    except (OSError, KeyError):
        return False
    finally:
        for fd in held:
            os.close(fd)
    return False


def _status(folder: int) -> tuple[int, int]:
    """Return the real uid of a task, and the number of its parent. Raises ``OSError`` and ``KeyError``."""
    fd = os.open("status", os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        text = os.read(fd, 4096)
    finally:
        os.close(fd)
    return int(task_identity.field(text, b"Uid").split()[0]), int(task_identity.field(text, b"PPid"))
