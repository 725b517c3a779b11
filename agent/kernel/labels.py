"""The label of an inode: the area it was first seen in. It travels with hard links and renames (contract C5).

Rules of this file: the label is the extended attribute ``trusted.shoumi.area``. Only CAP_SYS_ADMIN in the initial
namespace reads or writes ``trusted.*`` (xattr(7)), so no user, and no root of a container, can lower one. A label is
written where there is none and removed when its own area ends; an area's label is never overwritten. No file is opened.

On a dedicated volume, what lies in no area is labelled too: :data:`PUBLIC`, which means "no area" and gives way to the
label of the area that an inode comes into. So an inode without any label is one that somebody has stripped.
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
PUBLIC = "-"  # of what lies in no area; no area can have this name
DAMAGED = "/damaged"  # what a label that nobody here has written is read as; no area can have this name
_LONGEST = 1024  # bytes of a label: more than the longest name of an area has
SHOWN = 20  # examples kept of each kind of finding; the counts are complete

Progress = Callable[[int], None]
_EVERY = 0.25  # seconds between two calls of a progress callback


def read(target: int | str | bytes, *, follow: bool = False) -> str | None:
    """Return the label of an open descriptor, or of what a path leads to.

    A last link is followed only with *follow*, which the links of ``/proc/PID/fd`` need. ``None`` means no label,
    :data:`DAMAGED` one that cannot be an area's. Raises ``OSError`` for everything else, ENOTSUP included: an
    unreadable label is not an absent one.
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
    try:
        said = found.decode("utf-8")
    except UnicodeDecodeError:
        return DAMAGED
    return said if said and len(found) <= _LONGEST else DAMAGED


def area_of(label: str | None) -> str:
    """Return the area that *label* names, "" for none: no label, or the public one."""
    return "" if label is None or label == PUBLIC else label


def write(target: int | str | bytes, area: str) -> str:
    """Label *target* with *area* (or :data:`PUBLIC`), unless it has an area's; return what it has now.

    Raises ``OSError``. Between reading the public label and replacing it somebody else may label it, too: then it was
    in two areas within microseconds, and the last word counts.
    """
    try:
        _set(target, area, os.XATTR_CREATE)
    except FileExistsError:
        found = read(target)
        if found != PUBLIC or area == PUBLIC:
            return area if found is None else found
        _set(target, area, os.XATTR_REPLACE)
    return area


def replace(target: int | str | bytes, label: str) -> None:
    """Give *target* another label instead of the one of an area that ended, or a damaged one. Raises ``OSError``."""
    _set(target, label, 0)


def _set(target: int | str | bytes, label: str, flags: int) -> None:
    value = label.encode("utf-8", "surrogateescape")
    if isinstance(target, int):
        os.setxattr(target, ATTRIBUTE, value, flags)
    else:
        os.setxattr(target, ATTRIBUTE, value, flags, follow_symlinks=False)


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
    """What a tree holds. ``fresh`` had no area's label (:func:`sweep` has labelled them), ``own`` had this area's.

    ``strange`` are inodes labelled by another area (path, area), ``links`` files with names outside the tree,
    ``special`` counts fifos, sockets and devices, ``troubles`` are places not reached, ``stripped`` are files with
    content and without a label on a volume where everything had one. At most :data:`SHOWN` examples of each are kept;
    the ``*_count`` fields are complete.
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
    stripped_count: int = 0
    stripped: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every inode was seen (and, after a sweep, carries a label)."""
        return self.trouble_count == 0


def survey(path: str, area: str = "", progress: Progress | None = None, named: str = "") -> LabelReport:
    """Look at every inode of the tree *path* and change nothing. The other tours take the same arguments.

    *progress* is called now and then with the number of inodes seen. *named* is how the report calls *path*, when that
    leads through a descriptor. Raises ``OSError`` when *path* cannot be opened.
    """
    return _tour(path, area, lambda at, _inode: read(at), progress, named)


def sweep(
    path: str, area: str, progress: Progress | None = None, named: str = "", *, sealed: bool = False
) -> LabelReport:
    """Give every inode of the tree *path* that has no area's label the label *area*. Can be repeated and resumed.

    On a *sealed* volume every inode had a label: what has content and none is left as it is, and told as ``stripped``.
    """

    def labelling(at: str, inode: os.stat_result) -> str | None:
        found = read(at)
        if not area_of(found) and not (sealed and found is None and has_content(inode)):
            write(at, area)
        return found

    return _tour(path, area, labelling, progress, named, sealed=sealed)


def has_content(inode: os.stat_result) -> bool:
    """Whether there is something in an inode that a label is about: it is a file, and not an empty one."""
    return stat.S_ISREG(inode.st_mode) and inode.st_size > 0


def clear(
    path: str, area: str, progress: Progress | None = None, named: str = "", *, instead: str | None = None
) -> LabelReport:
    """Remove the label *area* from every inode of the tree *path*; labels of other areas stay.

    Give the root of the volume, not of the area: inodes that were moved out of the area carry its label, too.
    *instead* is what they get: :data:`PUBLIC` on a volume that keeps other areas. Without it the public labels go, too.
    """

    def clearing(at: str, _inode: os.stat_result) -> str | None:
        found = read(at)
        if instead is None and found in (area, PUBLIC):
            os.removexattr(at, ATTRIBUTE, follow_symlinks=False)
        elif instead is not None and found == area:
            replace(at, instead)
        return found

    return _tour(path, area, clearing, progress, named)


def _tour(
    path: str,
    area: str,
    visit: Callable[[str, os.stat_result], str | None],
    progress: Progress | None,
    named: str,
    *,
    sealed: bool = False,
) -> LabelReport:
    counts = dict.fromkeys(("files", "directories", "special", "fresh", "own"), 0)
    strange: list[tuple[str, str]] = []
    troubles: list[WalkFailure] = []
    stripped: list[str] = []
    strange_count = trouble_count = stripped_count = 0
    names: dict[int, HardLink] = {}
    for item in paced(walk(path, named), progress):
        if isinstance(item, WalkEntry):
            if stat.S_ISLNK(item.found.st_mode):  # never opened for its content: what it names carries its own label
                continue
            try:
                found = visit(item.at, item.found)
            except FileNotFoundError:  # deleted since it was listed
                continue
            except OSError as error:
                item = WalkFailure(item.path, error.errno or errno.EIO)
            else:
                counts[_kind(item.found.st_mode)] += 1
                labelled = area_of(found)
                counts["fresh"] += not labelled
                counts["own"] += labelled == area != ""
                if labelled and labelled != area:
                    strange_count += 1
                    strange += [(item.path, labelled)] * (len(strange) < SHOWN)
                if sealed and found is None and has_content(item.found):
                    stripped_count += 1
                    stripped += [item.path] * (len(stripped) < SHOWN)
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
        stripped_count=stripped_count,
        stripped=tuple(stripped),
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


def paced(items: Iterable[WalkEntry | WalkFailure], progress: Progress | None) -> Iterator[WalkEntry | WalkFailure]:
    """Yield *items*, calling *progress* with the number of them now and then."""
    if progress is None:
        yield from items
        return
    due = time.monotonic()
    for seen, item in enumerate(items, 1):
        yield item
        if time.monotonic() >= due:
            progress(seen)
            due = time.monotonic() + _EVERY
