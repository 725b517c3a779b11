"""Which programs are Samba's server: by the inodes that lie where Samba is installed, never by a name.

Rules of this file: looked at again after a second; an upgraded server goes on with its old file, so what was seen there
stays one of them. These paths are root's: what lies there is what root has put there.
"""

import contextlib
import os
import time
from collections import deque
from collections.abc import Iterable
from typing import Final

PROGRAMS: Final = ("/usr/sbin/smbd", "/usr/local/sbin/smbd", "/usr/local/samba/sbin/smbd", "/opt/samba/sbin/smbd")
_AGAIN = 1_000_000_000  # nanoseconds
_DELETED = b" (deleted)"


class SambaPrograms:
    """Inodes of smbd. Belongs to one thread. *paths* are where Samba's server lies."""

    def __init__(self, paths: Iterable[str] = PROGRAMS) -> None:
        self._paths = tuple(paths)
        self._seen: deque[tuple[int, int]] = deque(maxlen=16)
        self._named: frozenset[bytes] = frozenset()
        self._looked = -_AGAIN

    def named(self, executable: bytes) -> bool:
        """Whether a program that the kernel names so can be one: whether it is, :meth:`has` says."""
        self._look()
        return executable.removesuffix(_DELETED) in self._named

    def has(self, device: int, inode: int) -> bool:
        """Whether that file is smbd, or was before an upgrade."""
        self._look()
        return (device, inode) in self._seen

    def _look(self) -> None:
        now = time.monotonic_ns()
        if now - self._looked < _AGAIN:
            return
        self._looked = now
        self._named = frozenset(os.fsencode(os.path.realpath(path)) for path in self._paths)
        for path in self._paths:
            with contextlib.suppress(OSError):
                seen = os.stat(path)
                if (seen.st_dev, seen.st_ino) not in self._seen:
                    self._seen.append((seen.st_dev, seen.st_ino))
