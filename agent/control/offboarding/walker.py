"""Ways into the areas for one piece of work: a private mount for each filesystem instead of one for each area.

Rules of this file: making and dropping a private mount costs the kernel milliseconds, and a site has a thousand areas
on one volume, so a way is opened at the top of the volume and serves every area below it, as long as it leads to the
very same directory. :meth:`AreaWalker.close` closes them all; between two pieces of work none is open.
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
        self._open: dict[int, tuple[str, str]] = {}  # by device: the top of a volume, and the way to it
        self._stack = ExitStack()

    def walk(self, path: str) -> Iterator[WalkEntry | WalkFailure]:
        """Yield every inode below *path*; see :attr:`agent.offboard.context.RevocationContext.walk`.

        Raises ``OSError``.
        """
        yield from walk(self._inside(path), path)

    def close(self) -> None:
        """Close every way there is."""
        self._open.clear()
        self._stack.close()

    def _inside(self, path: str) -> str:
        if self._groups is None:
            return path
        found = _identity(path)
        if found[0] not in self._open:
            top = _top(path, found[0])
            self._open[found[0]] = top, self._enter(self._groups, top)
        top, way = self._open[found[0]]
        inside = f"{way}/{os.path.relpath(path, top)}"  # no Path: it would lose the dot that leads through
        with suppress(OSError):
            if _identity(inside) == found:
                return inside
        return self._enter(self._groups, path)  # what is mounted there is not what lies beneath

    def _enter(self, groups: FanotifyGroups, path: str) -> str:
        return self._stack.enter_context(doorway(groups.open, groups.access, path))


def _top(path: str, device: int) -> str:
    """Return the highest directory above *path* on the same filesystem without another one in between."""
    top = Path(path)
    for above in top.parents:
        if _identity(above)[0] != device:
            break
        top = above
    return str(top)


def _identity(path: str | Path) -> _Identity:
    found = Path(path).stat()
    return found.st_dev, found.st_ino
