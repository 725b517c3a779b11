"""Changing mounts: a directory bound onto itself, and a volume hidden before the gate opens (contract C3).

Rules of this file: mount(2) and umount2(2), nothing else; every call is idempotent and touches only a mount it can
recognise as its own. A bind of a directory onto itself makes the border of an area a mount border: links and renames
across it fail with EXDEV, renaming the directory itself fails with EBUSY. Propagation is left as the parent has it, so
that on a shared tree the other mount namespaces get the border, and the hiding, too.
"""

import ctypes
import errno
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Thread

from agent.kernel import mountinfo
from agent.kernel.mount_clone import clone
from agent.kernel.mountinfo import Device, Mount, MountTable, MountTree

HIDDEN = "shoumi-hidden"

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND = 1, 2, 4, 8, 4096
_MS_REC, _MS_PRIVATE = 1 << 14, 1 << 18
_MNT_DETACH, _UMOUNT_NOFOLLOW = 2, 8
_CLONE_NEWNS = 0x20000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
_libc.umount2.argtypes = (ctypes.c_char_p, ctypes.c_int)


def bind_to_itself(path: str) -> Mount:
    """Bind the directory *path* onto itself unless it already is; return that mount. Raise ``OSError``.

    Below a cover of ours it must be bound already; otherwise this is EBUSY: take the marks first, then the cover off.
    """
    if found := mountinfo.self_bind(path, uncovered(mountinfo.table())):
        return found
    if hidden(path):
        raise OSError(errno.EBUSY, "hidden, and not bound below", path)
    mount(path, path, "", _MS_BIND)
    return mountinfo.mount_of(path)


def unbind(path: str) -> bool:
    """Take the self-bind of *path* away; whether there was one. Busy or not: who is inside keeps that mount only."""
    if not mountinfo.self_bind(path, mountinfo.table()):
        return False
    _unmount(path)
    return True


def hidden(path: str) -> bool:
    """Whether a lookup of *path* meets our own empty cover, at *path* or above it. Looks nothing up."""
    top = mountinfo.resolve(os.path.abspath(path), mountinfo.table())
    return top is not None and is_cover(top)


def hide(path: str) -> None:
    """Cover *path* with an empty read-only directory of mode 000, unless it is hidden. Raise ``OSError``.

    This stops lookups by name. A process whose working directory or open descriptor is inside keeps what it has.
    """
    if not (_may_be_hidden(path) and hidden(path)):
        mount(HIDDEN, path, "tmpfs", _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, "size=4k,nr_inodes=2,mode=000")


def unhide(path: str) -> bool:
    """Take our covers off *path* and off what is above it; whether there were any. A stranger's mount stays."""
    found, place = False, os.path.abspath(path)
    while _may_be_hidden(path) and (top := mountinfo.resolve(place, mountinfo.table())) and is_cover(top):
        _unmount(top.point)
        found = True
    return found


def _may_be_hidden(path: str) -> bool:
    """Whether a lookup of *path* ends on what may be a cover, or nowhere. A look at the whole table costs more."""
    try:
        return not os.stat(path, follow_symlinks=False).st_mode & 0o777
    except OSError:
        return True


def uncovered(rows: Iterable[Mount]) -> MountTable:
    """Return the mount table as it is below our covers."""
    return MountTable(row for row in rows if not is_cover(row))


def reach(path: str) -> int:
    """Return an O_PATH descriptor of what *path* leads to below our own cover, if there is one. Raise ``OSError``.

    A hidden volume must be marked again before it is shown. Where a directory of a mount is covered, a copy of that
    mount leads there, because covers are no part of it. Where the whole mount is, a short-lived thread looks below the
    cover in a mount namespace of its own. In both nobody else sees a moment without it.
    """
    with suppress(FileNotFoundError):  # below a cover there is nothing, and a cover itself has mode 000
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if os.fstat(descriptor).st_mode & 0o777 or not hidden(path):
            return descriptor
        os.close(descriptor)
    if not hidden(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    beside = _beside_cover(path)
    return _below_cover(path) if beside is None else beside


def _beside_cover(path: str) -> int | None:
    rows, place = mountinfo.table(), os.path.abspath(path)
    mount = uncovered(rows).tree.resolve(place)
    top = rows.tree.resolve(mount.point) if mount else None
    if mount is None or top is None or top.id != mount.id:
        return None
    try:
        tree = clone(mount.point)
    except OSError:
        return None
    try:
        return os.open(os.path.relpath(place, mount.point), os.O_PATH | os.O_CLOEXEC, dir_fd=tree)
    finally:
        os.close(tree)


def _below_cover(path: str) -> int:
    found: list[int | OSError] = []

    def look() -> None:
        try:
            lift_for_this_thread(path)
            found.append(os.open(path, os.O_PATH | os.O_CLOEXEC))
        except OSError as error:
            found.append(error)

    thread = Thread(target=look, name="look below a cover")
    thread.start()
    thread.join()
    if isinstance(found[0], OSError):
        raise found[0]
    return found[0]


def lift_for_this_thread(path: str) -> None:
    """Take the cover off *path* in a private copy of the mount namespace that the calling thread moves into."""
    own_namespace_for_this_thread()
    unhide(path)


def own_namespace_for_this_thread() -> None:
    """Move the calling thread into a private copy of the mount namespace, for good. Raises ``OSError``."""
    if _libc.unshare(_CLONE_NEWNS):
        _raise("/")
    mount("none", "/", "", _MS_REC | _MS_PRIVATE)


@contextmanager
def pinned(device: Device) -> Iterator[bool]:
    """Keep the filesystem *device* alive in the block; yields whether a path of this namespace leads to it.

    Its number is its own meanwhile: a loop device that is free is somebody else's a moment later. Only for filesystems
    of which stat(2) says the device that mountinfo says.
    """
    rows = uncovered(mountinfo.table())
    tree, descriptor = MountTree(rows), -1
    for row in rows:
        if row.device == device and (top := tree.resolve(row.point)) and top.id == row.id:
            with suppress(OSError):
                descriptor = reach(row.point)
                break
    try:
        found = os.fstat(descriptor).st_dev if descriptor >= 0 else 0
        yield (os.major(found), os.minor(found)) == device
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def unmount_filesystem(device: Device) -> None:
    """Unmount each mount of the filesystem *device* in this namespace, and all that is mounted on it, lazily if busy.

    Only while it is :func:`pinned`. Raises ``OSError``. What another mount hides from every path is left; the mount
    table shows it.
    """
    while True:
        rows = mountinfo.table()
        tree, parents = MountTree(rows), {row.parent for row in rows if row.parent != row.id}
        theirs = {row.id for row in rows if row.device == device}
        below = {row.id: row.parent for row in rows}
        leaves = [
            row
            for row in rows
            if row.id not in parents
            and _stands_on(row.id, theirs, below)
            and (top := tree.resolve(row.point))
            and top.id == row.id
        ]
        if not leaves:
            return
        for row in reversed(leaves):
            _unmount(row.point)


def _stands_on(mount: int, theirs: Collection[int], below: Mapping[int, int]) -> bool:
    """Whether *mount* is one of *theirs* or is mounted on one, at any distance; *below*: each mount's parent."""
    while mount not in theirs:
        mount, last = below.get(mount, mount), mount
        if mount == last:
            return False
    return True


def unmount_below(top: str) -> None:
    """Unmount everything at or below *top*, newest first, lazily where busy. For a folder of throw-away volumes."""
    below = [mount.point for mount in mountinfo.table() if mountinfo.within(mount.point, top)]
    for point in reversed(below):
        _unmount(point)


def is_cover(mount: Mount) -> bool:
    """Whether *mount* is one of our covers."""
    return (mount.source, mount.fstype) == (HIDDEN, "tmpfs")


def mount(source: str, target: str, fstype: str, flags: int, data: str = "") -> None:
    """Mount *source* at *target*: mount(2). Raises ``OSError``."""
    arguments = (os.fsencode(source), os.fsencode(target), os.fsencode(fstype) or None, flags, data.encode() or None)
    if _libc.mount(*arguments):
        _raise(target)


def _unmount(path: str) -> None:
    encoded = os.fsencode(path)
    if _libc.umount2(encoded, _UMOUNT_NOFOLLOW) and _libc.umount2(encoded, _UMOUNT_NOFOLLOW | _MNT_DETACH):
        _raise(path)


def _raise(path: str) -> None:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number), path)
