"""The processes that a process comes from: its parent, the parent of that, and so on.

Rules of this file: the kernel names a parent by a number, and numbers are used again. A descriptor of the parent's
folder counts once the child has been asked a second time: a child whose parent has ended names another one by then, so
the folder was that of its parent. A parent that has ended is nobody's ancestor any more: who is handed on to PID 1 has
none, and PID 1 itself is none. Sources: proc_pid_status(5), pid_namespaces(7) for who adopts orphans.
"""

import os
from collections.abc import Callable

from agent.kernel import task_identity

_DEEPEST = 16  # what lies further up is not looked at


def any_of(folder: int, wanted: Callable[[int, int], bool]) -> bool:
    """Whether *wanted* is true of the task at the descriptor *folder* of ``/proc/TID``, or of one of its ancestors.

    *wanted* gets such a descriptor and the real uid. Of what has ended meanwhile it is not true.
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
