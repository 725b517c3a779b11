"""Area walker: private mounts for one task, one for each filesystem instead of one for each area.

Rules of this file: a private mount costs the kernel milliseconds, and a site may have a thousand areas on one volume,
so the mount is made at the top of the volume and serves every area below it, as long as it leads to the same directory.
:meth:`AreaWalker.close` closes them all; none is open between two tasks.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from agent.kernel.fanotify import FanotifyGroups
from agent.kernel.private_mount import doorway
from agent.kernel.walk import WalkEntry, WalkFailure, walk

_Identity = tuple[int, int]


class AreaWalker:
    """Walks areas that are guarded by *groups*; ``None`` in a rehearsal. One thread at a time."""

    def __init__(self, groups: FanotifyGroups | None) -> None:
        self._groups = groups
        self._open: dict[int, tuple[str, str]] = {}  # by device: the top of a volume, and its private mount
        self._stack = ExitStack()

    def walk(self, path: str) -> Iterator[WalkEntry | WalkFailure]:
        """Yield every inode below *path*; see :attr:`agent.offboard.context.RevocationContext.walk`.

        Raises ``OSError``.
        """
        yield from walk(self._inside(path), path)

    def close(self) -> None:
        """Close every private mount."""
        self._open.clear()
        self._stack.close()

    def _inside(self, path: str) -> str:
        if self._groups is None:
            return path
        identity = _identity(path)
        if identity[0] not in self._open:
            top = _top(path, identity[0])
            self._open[identity[0]] = top, self._enter(self._groups, top)
        top, entrance = self._open[identity[0]]
        inside = (
            f"{entrance}/{os.path.relpath(path, top)}"  # no Path: it would drop the trailing dot that enters the mount
        )
        with suppress(OSError):
            if _identity(inside) == identity:
                return inside
        return self._enter(self._groups, path)  # another filesystem is mounted over that path

    def _enter(self, groups: FanotifyGroups, path: str) -> str:
        return self._stack.enter_context(doorway(groups.open, groups.access, path))


def _top(path: str, device: int) -> str:
    """Return the highest directory above *path* that is contiguously on the same filesystem."""
    top = Path(path)
    for above in top.parents:
        if _identity(above)[0] != device:
            break
        top = above
    return str(top)


def _identity(path: str | Path) -> _Identity:
    inode = Path(path).stat()
    return inode.st_dev, inode.st_ino
