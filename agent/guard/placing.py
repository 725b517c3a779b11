"""Placing: the area an inode lies in, by its label and by its place on its own filesystem.

Rules of this file: every call here may sleep for as long as a remote disk or a frozen filesystem takes; so it runs in
the label worker and never in the loop that answers. The place is the path *inside the filesystem*, through the mount
the file was opened by, in whatever mount namespace: a path is text, and may name another file in another namespace.
Look-ups go through the agent's own mounts of that filesystem and never leave it. A label is written where the place is
known, before the file is handed over. On a sealed volume everything was labelled once: a file with content and without
a label is refused wherever it lies, because its label was removed.
Sources: proc_pid_mountinfo(5), proc_pid_fdinfo(5), xattr(7).
"""

import contextlib
import errno
import os
import select
import stat
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from agent.kernel import beneath, labels, mountinfo, mounting, newborn
from agent.kernel.mountinfo import Device, Mount, MountTree, prefixes, within

UNKNOWN_AREA = "/unknown"  # no area can have this name: every verdict for it is a deny
_DEEPEST = 64  # folders between a mount and a file, the limit of the search in another namespace


class AreaPlace(NamedTuple):
    """The place of an area. ``alone``: its filesystem holds only protected files (a dedicated volume).

    ``sealed``: every inode there carries a label, an area's or the public one, and the area is enforced.
    """

    path: str
    area: str
    alone: bool
    sealed: bool = False


class Placement(NamedTuple):
    """The placement of an inode. ``labelled`` is the area of its label afterwards, ``inside`` the one it lies in, ""
    for none.

    ``fresh``: it came into an area just now. ``error`` is an ``errno``, ``stripped`` means content without a label on a
    sealed volume: then no other field counts.
    """

    error: int = 0
    labelled: str = ""
    inside: str = ""
    fresh: bool = False
    device: int = 0
    inode: int = 0
    changed: int = 0  # ctime in nanoseconds, after the label was written
    directory: bool = False
    stripped: bool = False
    top: bool = False  # the root directory of its filesystem
    newborn: bool = False  # an empty file that was created a moment ago, without a label


class _Place(NamedTuple):
    """A path inside a filesystem. ``proven``: it was looked up, and led to the very inode."""

    device: Device
    path: str
    proven: bool


class Places:
    """The areas, and the mounts of the own namespace. For any thread."""

    def __init__(self, areas: Iterable[AreaPlace] = ()) -> None:
        self._areas = tuple(areas)
        self._turn = threading.Lock()
        self._changes = os.open("/proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._changes, select.POLLPRI)
        self._view: _View | None = None

    def close(self) -> None:
        """Release the mount table."""
        os.close(self._changes)

    def replace(self, areas: Iterable[AreaPlace]) -> None:
        """Take another set of areas."""
        with self._turn:
            self._areas, self._view = tuple(areas), None

    def settle(self, fd: int, tid: int) -> Placement:
        """Return the placement of the inode open as *fd* by thread *tid*, and label it. Never raises."""
        try:
            return _settle(fd, tid, self._now())
        except OSError as error:
            return Placement(error.errno or errno.EIO)

    def _now(self) -> "_View":
        with self._turn:
            if self._view is None or self._poll.poll(0):
                self._view = _View(self._areas, mounting.uncovered(mountinfo.table()))
            return self._view


class _View:
    """Areas and mounts at one moment, and the place of each area inside its filesystem."""

    def __init__(self, areas: Iterable[AreaPlace], mounts: tuple[Mount, ...]) -> None:
        self.mounts = mounts
        self.by_number = {mount.id: mount for mount in mounts}
        self._named = {area.path: area.area for area in areas}
        self._inside: dict[tuple[Device, str], str] = {}
        self._alone: set[Device] = set()
        self._sealed: set[Device] = set()
        tree = MountTree(mounts)
        for area in areas:
            top = tree.resolve(area.path)
            if top and (inner := top.inner(area.path)):
                self._inside[top.device, inner] = area.area
                if area.alone:
                    self._alone.add(top.device)
                if area.alone and area.sealed:
                    self._sealed.add(top.device)

    def area_of(self, place: _Place) -> str:
        """Return the area that *place* lies in, by the present places of the areas."""
        at = place.path
        while True:
            if (area := self._inside.get((place.device, at))) is not None:
                return area
            if at == "/":
                return ""
            at = at[: at.rindex("/")] or "/"

    def named(self, path: str) -> str:
        """Return the area that has *path* by its text."""
        return next((self._named[at] for at in reversed(prefixes(path)) if at in self._named), "")

    def alone(self, device: Device) -> bool:
        """Return whether the filesystem *device* holds only protected files."""
        return device in self._alone

    def sealed(self, device: Device) -> bool:
        """Whether every inode of the filesystem *device* was given a label."""
        return device in self._sealed


def _settle(fd: int, tid: int, view: _View) -> Placement:
    status = os.fstat(fd)
    label = labels.read(fd)
    labelled = labels.area_of(label)
    if label is None and labels.has_content(status) and view.sealed(_device(status.st_dev)):
        return Placement(stripped=True)
    path = os.readlink(f"/proc/self/fd/{fd}").removesuffix(" (deleted)")
    place = _place(fd, path, status, tid, view)
    if place is None:
        area = _unplaced(labelled, path, status, view)
    else:
        area = view.area_of(place)
        if not area and label is None and (status.st_nlink or not labels.has_content(status)):
            area = labels.area_of(_from_above(place, status, view))
            if not area and not labels.has_content(status) and view.alone(place.device):
                _make_public(fd, sealed=view.sealed(place.device))
                status = os.fstat(fd)
    fresh = bool(area) and area != labelled
    young = label is None and newborn.is_newborn(fd, status)
    if not labelled and area and area != UNKNOWN_AREA:
        labelled = labels.area_of(labels.write(fd, area))
        status = os.fstat(fd)  # the label changed the inode's ctime
    directory = stat.S_ISDIR(status.st_mode)
    top = directory and place is not None and place.path == "/"
    return Placement(
        0, labelled, area, fresh, status.st_dev, status.st_ino, status.st_ctime_ns, directory, top=top, newborn=young
    )


def _make_public(fd: int, *, sealed: bool) -> None:
    """Write the public label; where not everything is labelled yet, a volume that cannot be written goes without."""
    try:
        labels.write(fd, labels.PUBLIC)
    except OSError as error:
        if sealed or error.errno not in (errno.EROFS, errno.ENOSPC, errno.EDQUOT):
            raise


def _unplaced(labelled: str, path: str, status: os.stat_result, view: _View) -> str:
    """Return the area for an unknown place: the name can restrict, never grant."""
    named = view.named(path)
    if labelled:
        return named
    on_dedicated_volume = any(
        mount.device == _device(status.st_dev) and view.alone(mount.device) for mount in view.mounts
    )
    return UNKNOWN_AREA if named or on_dedicated_volume else ""


def _from_above(place: _Place, status: os.stat_result, view: _View) -> str:
    """Return the label of the nearest labelled folder above *place*, "" when there is none.

    A deleted or nameless file (``O_TMPFILE``) cannot be looked up; the folder above it can.
    """
    if status.st_nlink and not place.proven and not _leads(place, status, view):
        return UNKNOWN_AREA if view.alone(place.device) else ""
    above = place.path
    while above != "/":
        above = os.path.dirname(above)
        with _open_place(_Place(place.device, above, proven=False), view) as folder:
            if folder is not None and (label := labels.read(f"/proc/self/fd/{folder}/.")):
                return label
    return ""


def _place(fd: int, path: str, status: os.stat_result, tid: int, view: _View) -> _Place | None:
    number = mountinfo.mount_id(fd)
    if (mount := view.by_number.get(number)) is not None:
        inner = _inner(mount, path)
        return _Place(mount.device, inner, proven=False) if inner else None
    for mount in _mounts_of(tid):
        if mount.id == number:
            return _elsewhere(mount, path, status, view)
    return None


def _inner(mount: Mount, path: str) -> str | None:
    """As :meth:`Mount.inner`, for a *path* that the kernel wrote: it is normal already."""
    if mount.point == "/":
        below = path
    elif path == mount.point or path.startswith(mount.point + "/"):
        below = path[len(mount.point) :]
    else:
        return None
    if mount.root == "/":
        return below or "/"
    return mount.root + below.rstrip("/")


def _elsewhere(mount: Mount, path: str, status: os.stat_result, view: _View) -> _Place | None:
    """Return the place of a file opened through a *mount* of another namespace: candidates are tried until one leads to
    it.

    The kernel writes *path* from the root of that namespace, and mountinfo as its reader sees it; so the part of *path*
    below the mount is found by looking.
    """
    parts = path.strip("/").split("/")
    if len(parts) > _DEEPEST:
        return None
    tries = [
        mount.inner(path),
        *(mountinfo.join(mount.root, "/".join(parts[at:]) or ".") for at in range(len(parts) + 1)),
    ]
    for inner in dict.fromkeys(tries):
        if inner and _leads(place := _Place(mount.device, inner, proven=True), status, view):
            return place
    return None


def _leads(place: _Place, expected: os.stat_result, view: _View) -> bool:
    with _open_place(place, view) as descriptor:
        if descriptor is None:
            return False
        status = os.fstat(descriptor)
        return (status.st_dev, status.st_ino) == (expected.st_dev, expected.st_ino)


@contextlib.contextmanager
def _open_place(place: _Place, view: _View) -> Iterator[int | None]:
    """Yield a descriptor of *place* through an own mount, ``None`` when none shows it."""
    descriptor = next(_descriptors(place, view), None)
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _descriptors(place: _Place, view: _View) -> Iterator[int]:
    for mount in view.mounts:
        if mount.device != place.device or not within(place.path, mount.root):
            continue
        with contextlib.suppress(OSError):
            start = os.open(mount.point, os.O_PATH | os.O_CLOEXEC)
            try:
                if mountinfo.mount_id(start) == mount.id:  # nothing is mounted over it
                    yield beneath.look(start, os.path.relpath(place.path, mount.root))
            finally:
                os.close(start)


def _mounts_of(tid: int) -> tuple[Mount, ...]:
    try:
        return mountinfo.parse(Path(f"/proc/{tid}/mountinfo").read_bytes())
    except (OSError, ValueError):  # it ended, or has no root any more
        return ()


def _device(number: int) -> Device:
    return os.major(number), os.minor(number)
