"""Origin of root's rights of a process: gained through its program, or held from the start while serving another user.

Rules of this file: read-only. Two facts say that the rights came by the program: its file is set-uid now, and the real
uid that the kernel recorded when it was started (``AT_UID``) was not root's. The first is lost for a program that was
replaced meanwhile (dpkg removes the bit before it removes the old file), the second where a process has overwritten its
auxiliary vector, which gains nothing for a process without root's rights. A process without a program is ending.
Sources: execve(2), getauxval(3), proc_pid_auxv(5), prctl(2) PR_SET_MM.
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
    """Whether the program of *pid* is set-uid, or was started by a user other than root. Raises ``OSError``."""
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
    """Return the real uid of a process when its program was started, from its auxiliary vector; ``None``: unknown."""
    for size in _SIZES:
        whole = notes[: len(notes) // struct.calcsize(size) * struct.calcsize(size)]
        for key, uid in struct.iter_unpack(size, whole):
            if key == _AT_UID:
                return int(uid)
    return None


def _tasks(pid: int) -> Iterator[str]:
    """Yield the directories to read: the first thread's; where that has ended, the others'."""
    yield f"/proc/{pid}"
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for name in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - in the path of the cut
            yield f"/proc/{pid}/task/{name}"
