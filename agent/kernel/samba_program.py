"""Samba's server programs, by the inodes at Samba's installation paths, never by a name.

Rules of this file: read again after a second; an upgraded server continues with its old file, so inodes seen there stay
in the set. These paths are root's: only root can put files there.
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
    """Inodes of smbd. Belongs to one thread. *paths* are the paths of Samba's server."""

    def __init__(self, paths: Iterable[str] = PROGRAMS) -> None:
        self._paths = tuple(paths)
        self._inodes: deque[tuple[int, int]] = deque(maxlen=16)
        self._named: frozenset[bytes] = frozenset()
        self._refreshed_at = -_AGAIN

    def named(self, executable: bytes) -> bool:
        """Return whether a program with this kernel name can be one; :meth:`has` decides."""
        self._refresh()
        return executable.removesuffix(_DELETED) in self._named

    def has(self, device: int, inode: int) -> bool:
        """Return whether that file is smbd, or was before an upgrade."""
        self._refresh()
        return (device, inode) in self._inodes

    def _refresh(self) -> None:
        now = time.monotonic_ns()
        if now - self._refreshed_at < _AGAIN:
            return
        self._refreshed_at = now
        self._named = frozenset(os.fsencode(os.path.realpath(path)) for path in self._paths)
        for path in self._paths:
            with contextlib.suppress(OSError):
                status = os.stat(path)
                if (status.st_dev, status.st_ino) not in self._inodes:
                    self._inodes.append((status.st_dev, status.st_ino))
