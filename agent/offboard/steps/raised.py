"""Whether a process got root's rights by its program, or had them from the start and only works for somebody.

Rules of this file: it looks and keeps nothing. Both say that the rights came by the program: its file is set-uid now,
and the real uid that the kernel noted when it was started (``AT_UID``) was not root's. The first is gone from a program
that was replaced meanwhile (dpkg takes the bit away before it removes the old file), the second where a process has
written over its notes, which whoever has no root's rights to begin with gains nothing by. What has no program any more
is ending. Sources: execve(2), getauxval(3), proc_pid_auxv(5), prctl(2) PR_SET_MM.
"""

import contextlib
import os
import stat
import struct
from collections.abc import Iterator

from agent.kernel import task_identity

_AT_UID = 11
_SIZES = ("=QQ", "=II")  # of a 64-bit program, of a 32-bit one


def raised(pid: int) -> bool:
    """Whether the program of *pid* is set-uid, or was started by somebody who is not root. Raises ``OSError``."""
    for folder in _tasks(pid):
        try:
            mode = os.stat(f"{folder}/exe").st_mode  # noqa: PTH116 - in the path of the cut
            notes = task_identity.read(f"{folder}/auxv")
        except OSError as error:
            if not task_identity.gone(error):
                raise
        else:
            return bool(mode & stat.S_ISUID) or bool(started_by(notes))
    return False


def started_by(notes: bytes) -> int | None:
    """Return the real uid a process had when its program was started, by its auxiliary vector; ``None``: not said."""
    for size in _SIZES:
        whole = notes[: len(notes) // struct.calcsize(size) * struct.calcsize(size)]
        for key, value in struct.iter_unpack(size, whole):
            if key == _AT_UID:
                return int(value)
    return None


def _tasks(pid: int) -> Iterator[str]:
    """Yield where to look: the first thread; where that has ended, the others."""
    yield f"/proc/{pid}"
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for name in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - in the path of the cut
            yield f"/proc/{pid}/task/{name}"
