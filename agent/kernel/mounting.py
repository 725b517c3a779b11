"""Changing mounts: a directory bound onto itself, and a volume hidden before the gate opens (contract C3).

Rules of this file: mount(2) and umount2(2), nothing else; every call is idempotent and touches only the agent's own
mounts. A bind of a directory onto itself makes the border of an area a mount border: links and renames across it fail
with EXDEV, renaming the directory itself fails with EBUSY. Propagation is left as the parent has it, so that on a
shared tree the other mount namespaces get the border, and the cover, too.
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
    """Bind the directory *path* onto itself unless it already is; return that mount. Raises ``OSError``.

    Below a cover it must be bound already; otherwise this is EBUSY: first place the marks, then remove the cover.
    """
    if bound := mountinfo.self_bind(path, uncovered(mountinfo.table())):
        return bound
    if hidden(path):
        raise OSError(errno.EBUSY, "hidden, and not bound below", path)
    mount(path, path, "", _MS_BIND)
    return mountinfo.mount_of(path)


def unbind(path: str) -> bool:
    """Remove the self-bind of *path*; return whether there was one. Busy processes keep that mount only."""
    if not mountinfo.self_bind(path, mountinfo.table()):
        return False
    _unmount(path)
    return True


def hidden(path: str) -> bool:
    """Return whether a look-up of *path* meets a cover of the agent, at *path* or above it. Opens nothing."""
    top = mountinfo.resolve(os.path.abspath(path), mountinfo.table())
    return top is not None and is_cover(top)


def hide(path: str) -> None:
    """Cover *path* with an empty read-only directory of mode 000, unless it is hidden. Raise ``OSError``.

    This stops lookups by name. A process whose working directory or open descriptor is inside keeps what it has.
    """
    if not (_may_be_hidden(path) and hidden(path)):
        mount(HIDDEN, path, "tmpfs", _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, "size=4k,nr_inodes=2,mode=000")


def unhide(path: str) -> bool:
    """Remove the agent's covers from *path* and above it; return whether there were any. Other mounts stay."""
    removed, place = False, os.path.abspath(path)
    while _may_be_hidden(path) and (top := mountinfo.resolve(place, mountinfo.table())) and is_cover(top):
        _unmount(top.point)
        removed = True
    return removed


def _may_be_hidden(path: str) -> bool:
    """Return whether *path* may be covered, or is missing. Cheaper than reading the whole table."""
    try:
        return not os.stat(path, follow_symlinks=False).st_mode & 0o777
    except OSError:
        return True


def uncovered(rows: Iterable[Mount]) -> MountTable:
    """Return the mount table without the covers."""
    return MountTable(row for row in rows if not is_cover(row))


def reach(path: str) -> int:
    """Return an O_PATH descriptor of *path* below the agent's cover, if there is one. Raises ``OSError``.

    A hidden volume must be marked again before it is shown. Where a directory of a mount is covered, a copy of that
    mount leads there, because covers are not part of it. Where the whole mount is, a short-lived thread looks below the
    cover in its own mount namespace. In both cases the cover stays in place for everybody else.
    """
    with suppress(FileNotFoundError):  # below a cover there is nothing, and a cover itself has mode 000
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if os.fstat(descriptor).st_mode & 0o777 or not hidden(path):
            return descriptor
        os.close(descriptor)
    if not hidden(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    clone_fd = _beside_cover(path)
    return _below_cover(path) if clone_fd is None else clone_fd


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
    outcomes: list[int | OSError] = []

    def open_below() -> None:
        try:
            lift_for_this_thread(path)
            outcomes.append(os.open(path, os.O_PATH | os.O_CLOEXEC))
        except OSError as error:
            outcomes.append(error)

    thread = Thread(target=open_below, name="look below a cover")
    thread.start()
    thread.join()
    if isinstance(outcomes[0], OSError):
        raise outcomes[0]
    return outcomes[0]


def lift_for_this_thread(path: str) -> None:
    """Remove the cover from *path* in a private copy of the mount namespace of the calling thread."""
    own_namespace_for_this_thread()
    unhide(path)


def own_namespace_for_this_thread() -> None:
    """Move the calling thread into a private copy of the mount namespace, permanently. Raises ``OSError``."""
    if _libc.unshare(_CLONE_NEWNS):
        _raise("/")
    mount("none", "/", "", _MS_REC | _MS_PRIVATE)


@contextmanager
def pinned(device: Device) -> Iterator[bool]:
    """Keep the filesystem *device* alive in the block; yield whether a path of this namespace leads to it.

    Its number stays its own meanwhile: a freed loop device may belong to another image a moment later. Only for
    filesystems whose stat(2) device is the one in mountinfo.
    """
    rows = uncovered(mountinfo.table())
    tree, descriptor = MountTree(rows), -1
    for row in rows:
        if row.device == device and (top := tree.resolve(row.point)) and top.id == row.id:
            with suppress(OSError):
                descriptor = reach(row.point)
                break
    try:
        number = os.fstat(descriptor).st_dev if descriptor >= 0 else 0
        yield (os.major(number), os.minor(number)) == device
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def unmount_filesystem(device: Device) -> None:
    """Unmount each mount of the filesystem *device* in this namespace, and all mounts on it, lazily if busy.

    Only while it is :func:`pinned`. Raises ``OSError``. A mount hidden from every path by another one is left; the
    mount table shows it.
    """
    while True:
        rows = mountinfo.table()
        tree, parents = MountTree(rows), {row.parent for row in rows if row.parent != row.id}
        device_mounts = {row.id for row in rows if row.device == device}
        below = {row.id: row.parent for row in rows}
        leaves = [
            row
            for row in rows
            if row.id not in parents
            and _stands_on(row.id, device_mounts, below)
            and (top := tree.resolve(row.point))
            and top.id == row.id
        ]
        if not leaves:
            return
        for row in reversed(leaves):
            _unmount(row.point)


def _stands_on(mount: int, device_mounts: Collection[int], below: Mapping[int, int]) -> bool:
    """Return whether *mount* is in *device_mounts* or mounted on one of them; *below*: each mount's parent."""
    while mount not in device_mounts:
        mount, last = below.get(mount, mount), mount
        if mount == last:
            return False
    return True


def unmount_below(top: str) -> None:
    """Unmount everything at or below *top*, newest first, lazily if busy. For a folder of temporary volumes."""
    below = [mount.point for mount in mountinfo.table() if mountinfo.within(mount.point, top)]
    for point in reversed(below):
        _unmount(point)


def is_cover(mount: Mount) -> bool:
    """Return whether *mount* is a cover of the agent."""
    return (mount.source, mount.fstype) == (HIDDEN, "tmpfs")


def mount(source: str, target: str, fstype: str, flags: int, options: str = "") -> None:
    """Mount *source* at *target*: mount(2). Raises ``OSError``."""
    arguments = (os.fsencode(source), os.fsencode(target), os.fsencode(fstype) or None, flags, options.encode() or None)
    if _libc.mount(*arguments):
        _raise(target)


def _unmount(path: str) -> None:
    encoded = os.fsencode(path)
    if _libc.umount2(encoded, _UMOUNT_NOFOLLOW) and _libc.umount2(encoded, _UMOUNT_NOFOLLOW | _MNT_DETACH):
        _raise(path)


def _raise(path: str) -> None:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number), path)
