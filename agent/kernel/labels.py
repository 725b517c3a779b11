"""Labels of inodes: the area an inode was first seen in. A label travels with hard links and renames (contract C5).

Rules of this file: the label is the extended attribute ``trusted.shoumi.area``. Only CAP_SYS_ADMIN in the initial
namespace reads or writes ``trusted.*`` (xattr(7)), so no user, and no root of a container, can lower one. A label is
written where there is none and removed when its own area ends; an area's label is never overwritten. No file is opened.

On a dedicated volume, inodes outside every area are labelled too: :data:`PUBLIC` means "no area" and is replaced by the
label of the area that an inode comes into. So an inode without any label has lost it.
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
PUBLIC = "-"  # of inodes in no area; no area can have this name
DAMAGED = "/damaged"  # the value read for a label of foreign form; no area can have this name
_LONGEST = 1024  # bytes of a label: more than the longest area name
SHOWN = 20  # examples kept of each kind of finding; the counts are complete

Progress = Callable[[int], None]
_EVERY = 0.25  # seconds between two calls of a progress callback


def read(target: int | str | bytes, *, follow: bool = False) -> str | None:
    """Return the label of an open descriptor, or of the inode at a path.

    A last link is followed only with *follow*, which the links of ``/proc/PID/fd`` need. ``None`` means no label,
    :data:`DAMAGED` one that cannot be an area's. Raises ``OSError`` for everything else, ENOTSUP included: an
    unreadable label is not an absent one.
    """
    try:
        if isinstance(target, int):
            raw = os.getxattr(target, ATTRIBUTE)
        else:
            raw = os.getxattr(target, ATTRIBUTE, follow_symlinks=follow)
    except OSError as error:
        if error.errno == errno.ENODATA:
            return None
        raise
    try:
        label = raw.decode("utf-8")
    except UnicodeDecodeError:
        return DAMAGED
    return label if label and len(raw) <= _LONGEST else DAMAGED


def area_of(label: str | None) -> str:
    """Return the area that *label* names, "" for none: no label, or the public one."""
    return "" if label is None or label == PUBLIC else label


def write(target: int | str | bytes, area: str) -> str:
    """Label *target* with *area* (or :data:`PUBLIC`), unless it has an area's; return its present label.

    Raises ``OSError``. Another process may label it between reading the public label and replacing it: then it was in
    two areas within microseconds, and the last write counts.
    """
    try:
        _set(target, area, os.XATTR_CREATE)
    except FileExistsError:
        existing = read(target)
        if existing != PUBLIC or area == PUBLIC:
            return area if existing is None else existing
        _set(target, area, os.XATTR_REPLACE)
    return area


def replace(target: int | str | bytes, label: str) -> None:
    """Replace the label of an ended area, or a damaged one, on *target*. Raises ``OSError``."""
    _set(target, label, 0)


def _set(target: int | str | bytes, label: str, flags: int) -> None:
    encoded = label.encode("utf-8", "surrogateescape")
    if isinstance(target, int):
        os.setxattr(target, ATTRIBUTE, encoded, flags)
    else:
        os.setxattr(target, ATTRIBUTE, encoded, flags, follow_symlinks=False)


def supported(path: str) -> bool:
    """Return whether the filesystem of *path* keeps trusted attributes, by reading; probing proves it by writing."""
    try:
        read(path)
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class HardLink:
    """A file with more names than its area shows: it may be reached by another path."""

    path: str
    inside: int
    names: int


@dataclass(frozen=True, slots=True)
class LabelReport:
    """The labels of a tree. ``fresh`` had no area's label (:func:`sweep` has labelled them), ``own`` had this area's.

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
        """Whether every inode was reached (and, after a sweep, carries a label)."""
        return self.trouble_count == 0


def survey(path: str, area: str = "", progress: Progress | None = None, named: str = "") -> LabelReport:
    """Return the report of the tree *path*, changing nothing. The other tours take the same arguments.

    *progress* is called at intervals with the number of inodes seen. *named* replaces *path* in the report, when *path*
    leads through a descriptor. Raises ``OSError`` when *path* cannot be opened.
    """
    return _tour(path, area, lambda at, _inode: read(at), progress, named)


def sweep(
    path: str, area: str, progress: Progress | None = None, named: str = "", *, sealed: bool = False
) -> LabelReport:
    """Give every inode of the tree *path* that has no area's label the label *area*. Can be repeated and resumed.

    On a *sealed* volume every inode had a label: a file with content and without one is left, and reported as
    ``stripped``.
    """

    def labelling(at: str, inode: os.stat_result) -> str | None:
        label = read(at)
        if not area_of(label) and not (sealed and label is None and has_content(inode)):
            write(at, area)
        return label

    return _tour(path, area, labelling, progress, named, sealed=sealed)


def has_content(inode: os.stat_result) -> bool:
    """Return whether an inode has content that a label protects: a file that is not empty."""
    return stat.S_ISREG(inode.st_mode) and inode.st_size > 0


def clear(
    path: str, area: str, progress: Progress | None = None, named: str = "", *, instead: str | None = None
) -> LabelReport:
    """Remove the label *area* from every inode of the tree *path*; labels of other areas stay.

    Give the root of the volume, not of the area: inodes moved out of the area carry its label, too. *instead* is the
    new label: :data:`PUBLIC` on a volume that keeps other areas. Without it the public labels are removed, too.
    """

    def clearing(at: str, _inode: os.stat_result) -> str | None:
        label = read(at)
        if instead is None and label in (area, PUBLIC):
            os.removexattr(at, ATTRIBUTE, follow_symlinks=False)
        elif instead is not None and label == area:
            replace(at, instead)
        return label

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
    for entry in paced(walk(path, named), progress):
        if isinstance(entry, WalkEntry):
            if stat.S_ISLNK(entry.found.st_mode):  # never opened for its content: its target carries its own label
                continue
            try:
                label = visit(entry.at, entry.found)
            except FileNotFoundError:  # deleted since it was listed
                continue
            except OSError as error:
                entry = WalkFailure(entry.path, error.errno or errno.EIO)
            else:
                counts[_kind(entry.found.st_mode)] += 1
                labelled = area_of(label)
                counts["fresh"] += not labelled
                counts["own"] += labelled == area != ""
                if labelled and labelled != area:
                    strange_count += 1
                    strange += [(entry.path, labelled)] * (len(strange) < SHOWN)
                if sealed and label is None and has_content(entry.found):
                    stripped_count += 1
                    stripped += [entry.path] * (len(stripped) < SHOWN)
                _count_names(names, entry)
        if isinstance(entry, WalkFailure):
            trouble_count += 1
            troubles += [entry] * (len(troubles) < SHOWN)
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


def _count_names(names: dict[int, HardLink], entry: WalkEntry) -> None:
    status = entry.found
    if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
        earlier = names.get(status.st_ino)
        names[status.st_ino] = HardLink(entry.path, 1 + (earlier.inside if earlier else 0), status.st_nlink)


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "directories"
    return "files" if stat.S_ISREG(mode) else "special"


def paced(entries: Iterable[WalkEntry | WalkFailure], progress: Progress | None) -> Iterator[WalkEntry | WalkFailure]:
    """Yield *entries*, calling *progress* with their number at intervals."""
    if progress is None:
        yield from entries
        return
    due = time.monotonic()
    for count, entry in enumerate(entries, 1):
        yield entry
        if time.monotonic() >= due:
            progress(count)
            due = time.monotonic() + _EVERY
