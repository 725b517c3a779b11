"""Objects being opened: the areas an event's descriptor belongs to, and its fields in the log.

Rules of this file: the inode's label decides, not a path (contract C5). A label is the area an inode was first seen in;
it is stored on the inode (``trusted.shoumi.area``, which only the initial namespace's administrator can write) and
travels with hard links and renames. Where the label and the place name two areas, both must allow: a file moved into a
higher area is guarded by both, a file moved out of an area keeps its own. Unknown objects are looked up by the label
worker (``placing``); this file remembers, and makes no call that could sleep.
"""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from agent.guard.placing import UNKNOWN_AREA, AreaPlace, Placement
from agent.kernel.fanotify import DESCRIPTORS
from agent.log.entry import json_path

_MOST = 32_768  # remembered objects, about 600 bytes each; then all are forgotten and looked up again
_NUMBERS = tuple(b"%d" % fd for fd in range(DESCRIPTORS))  # of descriptors, written out once


@dataclass(frozen=True, slots=True)
class Object:
    """One opened object. ``areas`` is empty when it is in none. ``fields`` is its part of a log entry, as JSON.

    ``fresh``: it came into an area just now, as far as is known; earlier openers were not judged for that area.
    ``newborn``: it is empty, and was created a moment ago.
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
    """The place of an area. ``alone``: its filesystem holds only protected files (tiers A and C).

    ``sealed``: every inode of that filesystem was given a label.
    """

    path: bytes
    area: str
    alone: bool
    enforced: bool
    sealed: bool = False

    @property
    def place(self) -> AreaPlace:
        """The part of it that the label worker needs."""
        return AreaPlace(os.fsdecode(self.path), self.area, self.alone, self.sealed and self.enforced)


class Objects:
    """Objects by descriptor, remembered by inode, change time and path together.

    That key is sound although inodes are reused: a new inode at the same path is in the same areas by path, and one
    that was moved to it changed its own ctime or its path.
    """

    def __init__(self) -> None:
        self._by_inode: dict[tuple[int, int, int], Object] = {}
        self._roots: tuple[Root, ...] | None = None
        self._descriptors = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def replace_roots(self, roots: Iterable[Root] | None) -> None:
        """Take a new set of areas; everything remembered is forgotten.

        ``None``: the areas are not known (the registry cannot be read), so every object is in one that everybody is
        denied. That is also the initial state.
        """
        self._roots = None if roots is None else tuple(sorted(roots, key=lambda root: len(root.path), reverse=True))
        self._by_inode.clear()

    def find(self, fd: int) -> Object | None:
        """Return the object behind descriptor *fd*, ``None`` when the label worker has to look it up."""
        status = os.fstat(fd)
        path = os.readlink(_NUMBERS[fd], dir_fd=self._descriptors)
        cached = self._by_inode.get((status.st_ino, status.st_ctime_ns, status.st_dev))
        if cached is not None and cached.path == path:
            return cached
        if self._roots is None:
            return _object((UNKNOWN_AREA,), path, status.st_dev, status.st_ino, directory=stat.S_ISDIR(status.st_mode))
        return None

    def by_name(self, fd: int) -> Object:
        """Return the object of *fd* by its name alone: the name, and the area that name belongs to."""
        status = os.fstat(fd)
        path = os.readlink(_NUMBERS[fd], dir_fd=self._descriptors)
        area = self._area_of(path) if self._roots is not None else UNKNOWN_AREA
        directory = stat.S_ISDIR(status.st_mode)
        return _object((area,) if area else (), path, status.st_dev, status.st_ino, directory=directory)

    def learn(self, path: bytes, placement: Placement) -> Object:
        """Remember the *placement* of an object opened as *path*, and return the object."""
        areas = tuple(dict.fromkeys(area for area in (placement.labelled, placement.inside) if area))
        opened = _object(areas, path, placement.device, placement.inode, directory=placement.directory)
        opened = replace(opened, top=True) if placement.top else opened
        if len(self._by_inode) >= _MOST:
            self._by_inode.clear()
        self._by_inode[(placement.inode, placement.changed, placement.device)] = opened
        return (
            replace(opened, fresh=placement.fresh, newborn=placement.newborn)
            if placement.fresh or placement.newborn
            else opened
        )

    def _area_of(self, path: bytes) -> str:
        for root in self._roots or ():
            if path.startswith(root.path) and path[len(root.path) : len(root.path) + 1] in (b"", b"/"):
                return root.area
        return ""


def _object(areas: tuple[str, ...], path: bytes, device: int, inode: int, *, directory: bool) -> Object:
    numbers = f"{os.major(device)}:{os.minor(device)}"
    fields = f'{json_path(path)},"dev":"{numbers}","ino":{inode}'.encode()
    return Object(areas, directory, path, device, inode, fields)
