"""What is being opened: which areas an event's descriptor belongs to, and how the log names it.

Rules of this file: the inode's label decides, not a path (contract C5). A label is the area an inode was first seen
in; it is stored on the inode (``trusted.shoumi.area``, which only the initial namespace's administrator can write) and
travels with hard links and renames. Where the label and the place name two areas, both must allow: a file moved into
a higher area is guarded by both, a file moved out of an area keeps its own. What is not known here yet is found by the
label worker (``placing``); this file remembers, and makes no call that could sleep.
"""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from agent.guard.placing import UNKNOWN_AREA, AreaPlace, Placement
from agent.kernel.fanotify import DESCRIPTORS
from agent.log.entry import json_path

_MOST = 32_768  # remembered objects, about 600 bytes each; then all are forgotten and found again
_NUMBERS = tuple(b"%d" % fd for fd in range(DESCRIPTORS))  # of descriptors, written out once


@dataclass(frozen=True, slots=True)
class Object:
    """One opened object. ``areas`` is empty when it is in none. ``fields`` is its part of a log entry, as JSON.

    ``fresh``: it has come into an area just now, as far as we know; whoever opened it before was not asked about that.
    ``newborn``: it is empty, and was made a moment ago.
    """

    areas: tuple[str, ...]
    directory: bool
    path: bytes
    device: int
    inode: int
    fields: bytes
    fresh: bool = False
    top: bool = False  # the root directory of its filesystem
    newborn: bool = False


class Root(NamedTuple):
    """Where an area lies. ``alone``: its filesystem holds nothing but protected things (tiers A and C).

    ``sealed``: every inode of that filesystem was given a label.
    """

    path: bytes
    area: str
    alone: bool
    enforced: bool
    sealed: bool = False

    @property
    def place(self) -> AreaPlace:
        """What the label worker needs of it."""
        return AreaPlace(os.fsdecode(self.path), self.area, self.alone, self.sealed and self.enforced)


class Objects:
    """Objects by descriptor, remembered by inode, change time and path together.

    That key is sound though inodes are reused: a new inode at the same path is in the same areas by path, and one
    that was moved here changed its own ctime or its path on the way.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int], Object] = {}
        self._roots: tuple[Root, ...] | None = None
        self._descriptors = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def replace_roots(self, roots: Iterable[Root] | None) -> None:
        """Take a new set of areas; everything remembered is forgotten.

        ``None``: it is not known which areas there are (the registry cannot be read), so every object is in one that
        nobody may open. That is also the state a new instance starts in.
        """
        self._roots = None if roots is None else tuple(sorted(roots, key=lambda root: len(root.path), reverse=True))
        self._known.clear()

    def find(self, fd: int) -> Object | None:
        """Return the object behind descriptor *fd*, ``None`` when the label worker has to look."""
        found = os.fstat(fd)
        path = os.readlink(_NUMBERS[fd], dir_fd=self._descriptors)
        known = self._known.get((found.st_ino, found.st_ctime_ns, found.st_dev))
        if known is not None and known.path == path:
            return known
        if self._roots is None:
            return _object((UNKNOWN_AREA,), path, found.st_dev, found.st_ino, directory=stat.S_ISDIR(found.st_mode))
        return None

    def seen(self, fd: int) -> Object:
        """Return what can be said of *fd* without looking: its name, and the area that name belongs to."""
        found = os.fstat(fd)
        path = os.readlink(_NUMBERS[fd], dir_fd=self._descriptors)
        area = self._area_of(path) if self._roots is not None else UNKNOWN_AREA
        directory = stat.S_ISDIR(found.st_mode)
        return _object((area,) if area else (), path, found.st_dev, found.st_ino, directory=directory)

    def learn(self, path: bytes, found: Placement) -> Object:
        """Remember what the label worker *found* of an object opened as *path*, and return it."""
        areas = tuple(dict.fromkeys(area for area in (found.labelled, found.inside) if area))
        known = _object(areas, path, found.device, found.inode, directory=found.directory)
        known = replace(known, top=True) if found.top else known
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[(found.inode, found.changed, found.device)] = known
        return replace(known, fresh=found.fresh, newborn=found.newborn) if found.fresh or found.newborn else known

    def _area_of(self, path: bytes) -> str:
        for root in self._roots or ():
            if path.startswith(root.path) and path[len(root.path) : len(root.path) + 1] in (b"", b"/"):
                return root.area
        return ""


def _object(areas: tuple[str, ...], path: bytes, device: int, inode: int, *, directory: bool) -> Object:
    numbers = f"{os.major(device)}:{os.minor(device)}"
    fields = f'{json_path(path)},"dev":"{numbers}","ino":{inode}'.encode()
    return Object(areas, directory, path, device, inode, fields)
