"""What is being opened: which areas an event's descriptor belongs to, and how the log names it.

Rules of this file: the inode's label decides, not a path (contract C5). A label is the area an inode was first seen
in; it is stored on the inode (``trusted.shoumi.area``, which only the initial namespace's administrator can write) and
travels with hard links and renames. Where the label and the path name two areas, both must allow: a file moved into
a higher area is guarded by both, a file moved out of an area keeps its own. An inode without a label that lies in an
area is labelled before anybody is allowed to open it. Never opens anything: works on the event's own descriptor.
"""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from agent.kernel import labels
from agent.kernel.fanotify import DESCRIPTORS
from agent.log.entry import json_path

_MOST = 16_384  # remembered objects, about 600 bytes each; then all are forgotten and found again
_NUMBERS = tuple(b"%d" % fd for fd in range(DESCRIPTORS))  # of descriptors, written out once
UNKNOWN_AREA = "?"  # no area has this name: whatever is decided for it is a deny


@dataclass(frozen=True, slots=True)
class Object:
    """One opened object. ``areas`` is empty when it is in none. ``fields`` is its part of a log entry, as JSON.

    ``fresh``: it has come into an area just now, as far as we know; whoever opened it before was not asked about that.
    """

    areas: tuple[str, ...]
    directory: bool
    path: bytes
    device: int
    inode: int
    fields: bytes
    fresh: bool = False


class Root(NamedTuple):
    """Where an area lies. ``alone``: its filesystem holds nothing but protected things (tiers A and C)."""

    path: bytes
    area: str
    device: int
    alone: bool


class Objects:
    """Objects by descriptor, remembered by inode, change time and path together.

    That key is sound though inodes are reused: a new inode at the same path is in the same areas by path, and one
    that was moved here changed its own ctime or its path on the way.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int], Object] = {}
        self._roots: tuple[Root, ...] | None = None
        self._alone: frozenset[int] = frozenset()
        self._descriptors = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def replace_roots(self, roots: Iterable[Root] | None) -> None:
        """Take a new set of areas; everything remembered is forgotten.

        ``None``: it is not known which areas there are (the registry cannot be read), so every object is in one that
        nobody may open. That is also the state a new instance starts in.
        """
        self._roots = None if roots is None else tuple(sorted(roots, key=lambda root: len(root.path), reverse=True))
        self._alone = frozenset(root.device for root in self._roots or () if root.alone)
        self._known.clear()

    def find(self, fd: int) -> Object:
        """Return the object behind descriptor *fd*. Raises ``OSError`` when its label cannot be read or written."""
        found = os.fstat(fd)
        key = (found.st_ino, found.st_ctime_ns, found.st_dev)
        path = os.readlink(_NUMBERS[fd], dir_fd=self._descriptors)
        known = self._known.get(key)
        if known is not None and known.path == path:
            return known
        return self._look(fd, found, path)

    def _look(self, fd: int, found: os.stat_result, path: bytes) -> Object:
        labelled = labels.read(fd)
        inside = self._area_of(path)
        if self._roots is None:
            inside = labelled = UNKNOWN_AREA
        elif labelled is None and not inside and found.st_nlink:
            if _leads_to(path, found):
                inside = _label_above(path, found.st_dev)  # an area seen through another mount of its filesystem
            elif found.st_dev in self._alone:
                inside = labelled = UNKNOWN_AREA  # seen from somebody else's namespace: its place cannot be told
        fresh = bool(inside) and inside != labelled
        if labelled is None and inside:
            labelled = labels.write(fd, inside)
            found = os.fstat(fd)  # the label changed the inode's ctime
        areas = tuple(dict.fromkeys(area for area in (labelled, inside) if area))
        device = f"{os.major(found.st_dev)}:{os.minor(found.st_dev)}"
        fields = f'{json_path(path)},"dev":"{device}","ino":{found.st_ino}'.encode()
        known = Object(areas, stat.S_ISDIR(found.st_mode), path, found.st_dev, found.st_ino, fields)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[(found.st_ino, found.st_ctime_ns, found.st_dev)] = known
        return replace(known, fresh=True) if fresh else known

    def _area_of(self, path: bytes) -> str:
        for root in self._roots or ():
            if path.startswith(root.path) and path[len(root.path) : len(root.path) + 1] in (b"", b"/"):
                return root.area
        return ""


def _leads_to(path: bytes, found: os.stat_result) -> bool:
    """Whether *path*, followed in our own namespace, ends at the very inode. Looking does not open."""
    try:
        there = os.stat(path, follow_symlinks=False)
    except (OSError, ValueError):
        return False
    return (there.st_dev, there.st_ino) == (found.st_dev, found.st_ino)


def _label_above(path: bytes, device: int) -> str:
    """Return the label of the nearest labelled directory above *path* on the same filesystem, or an empty string."""
    above = os.path.dirname(path)
    while above not in (b"", b"/") and os.lstat(above).st_dev == device:
        if (found := labels.read(above)) is not None:
            return found
        above = os.path.dirname(above)
    return ""
