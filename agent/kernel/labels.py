"""The label of an inode: the area it was first seen in. It travels with hard links and renames (contract C5).

Rules of this file: the label is the extended attribute ``trusted.shoumi.area``. Only CAP_SYS_ADMIN in the initial
namespace reads or writes ``trusted.*`` (xattr(7)), so no user, and no root of a container, can lower one. A label is
written where there is none and removed when its own area ends; it is never overwritten. No file is opened.
"""

import errno
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from agent.kernel.walk import WalkEntry, WalkFailure, walk

ATTRIBUTE = "trusted.shoumi.area"
SHOWN = 20  # examples kept of each kind of finding; the counts are complete

Progress = Callable[[int], None]
_EVERY = 0.25  # seconds between two calls of a progress callback


def read(target: int | str | bytes, *, follow: bool = False) -> str | None:
    """Return the label of an open descriptor, or of what a path leads to.

    A last link is followed only with *follow*, which the links of ``/proc/PID/fd`` need. ``None`` means no label.
    Raises ``OSError`` for everything else, ENOTSUP included: an unreadable label is not an absent one.
    """
    try:
        if isinstance(target, int):
            found = os.getxattr(target, ATTRIBUTE)
        else:
            found = os.getxattr(target, ATTRIBUTE, follow_symlinks=follow)
    except OSError as error:
        if error.errno == errno.ENODATA:
            return None
        raise
    return found.decode("utf-8", "surrogateescape")


def write(target: int | str | bytes, area: str) -> str:
    """Label *target* with *area* unless it has a label; return the label it has now. Raises ``OSError``."""
    value = area.encode("utf-8", "surrogateescape")
    try:
        if isinstance(target, int):
            os.setxattr(target, ATTRIBUTE, value, os.XATTR_CREATE)
        else:
            os.setxattr(target, ATTRIBUTE, value, os.XATTR_CREATE, follow_symlinks=False)
    except FileExistsError:
        return read(target) or area
    return area


def supported(path: str) -> bool:
    """Whether the filesystem of *path* keeps trusted attributes. Asks by reading; probing proves it by writing."""
    try:
        read(path)
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class HardLink:
    """A file with more names than its area shows: somebody may reach it by another path."""

    path: str
    inside: int
    names: int


@dataclass(frozen=True, slots=True)
class LabelReport:
    """What a tree holds. ``fresh`` had no label (:func:`sweep` has labelled them), ``own`` had this area's.

    ``strange`` are inodes labelled by another area (path, area), ``links`` files with names outside the tree,
    ``special`` counts fifos, sockets and devices, ``troubles`` are places not reached. At most :data:`SHOWN` examples
    of each are kept; the ``*_count`` fields are complete.
    """

    files: int = 0
    directories: int = 0
    special: int = 0
    fresh: int = 0
    own: int = 0
    strange_count: int = 0
    strange: tuple[tuple[str, str], ...] = ()
    link_count: int = 0
    links: tuple[HardLink, ...] = ()
    trouble_count: int = 0
    troubles: tuple[WalkFailure, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every inode was seen (and, after a sweep, carries a label)."""
        return self.trouble_count == 0


def survey(path: str, area: str = "", progress: Progress | None = None, named: str = "") -> LabelReport:
    """Look at every inode of the tree *path* and change nothing. The other tours take the same arguments.

    *progress* is called now and then with the number of inodes seen. *named* is how the report calls *path*, when that
    leads through a descriptor. Raises ``OSError`` when *path* cannot be opened.
    """
    return _tour(path, area, read, progress, named)


def sweep(path: str, area: str, progress: Progress | None = None, named: str = "") -> LabelReport:
    """Give every inode of the tree *path* that has no label the label *area*. Can be repeated and resumed."""

    def labelling(at: str) -> str | None:
        found = read(at)
        if found is None:
            write(at, area)
        return found

    return _tour(path, area, labelling, progress, named)


def clear(path: str, area: str, progress: Progress | None = None, named: str = "") -> LabelReport:
    """Remove the label *area* from every inode of the tree *path*; labels of other areas stay.

    Give the root of the volume, not of the area: inodes that were moved out of the area carry its label, too.
    """

    def clearing(at: str) -> str | None:
        found = read(at)
        if found == area:
            os.removexattr(at, ATTRIBUTE, follow_symlinks=False)
        return found

    return _tour(path, area, clearing, progress, named)


def _tour(
    path: str, area: str, visit: Callable[[str], str | None], progress: Progress | None, named: str
) -> LabelReport:
    counts = dict.fromkeys(("files", "directories", "special", "fresh", "own"), 0)
    strange: list[tuple[str, str]] = []
    troubles: list[WalkFailure] = []
    strange_count = trouble_count = 0
    names: dict[int, HardLink] = {}
    for item in _paced(walk(path, named), progress):
        if isinstance(item, WalkEntry):
            if stat.S_ISLNK(item.found.st_mode):  # never opened for its content: what it names carries its own label
                continue
            try:
                found = visit(item.at)
            except FileNotFoundError:  # deleted since it was listed
                continue
            except OSError as error:
                item = WalkFailure(item.path, error.errno or errno.EIO)
            else:
                counts[_kind(item.found.st_mode)] += 1
                counts["fresh"] += found is None
                counts["own"] += found is not None and found == area
                if found is not None and found != area:
                    strange_count += 1
                    strange += [(item.path, found)] * (len(strange) < SHOWN)
                _count_names(names, item)
        if isinstance(item, WalkFailure):
            trouble_count += 1
            troubles += [item] * (len(troubles) < SHOWN)
    links = [link for link in names.values() if link.inside < link.names]
    return LabelReport(
        **counts,
        strange_count=strange_count,
        strange=tuple(strange),
        link_count=len(links),
        links=tuple(islice(links, SHOWN)),
        trouble_count=trouble_count,
        troubles=tuple(troubles),
    )


def _count_names(names: dict[int, HardLink], item: WalkEntry) -> None:
    found = item.found
    if found.st_nlink > 1 and not stat.S_ISDIR(found.st_mode):
        known = names.get(found.st_ino)
        names[found.st_ino] = HardLink(item.path, 1 + (known.inside if known else 0), found.st_nlink)


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "directories"
    return "files" if stat.S_ISREG(mode) else "special"


def _paced(items: Iterable[WalkEntry | WalkFailure], progress: Progress | None) -> Iterator[WalkEntry | WalkFailure]:
    if progress is None:
        yield from items
        return
    due = time.monotonic()
    for seen, item in enumerate(items, 1):
        yield item
        if time.monotonic() >= due:
            progress(seen)
            due = time.monotonic() + _EVERY
