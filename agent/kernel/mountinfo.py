"""The mount table, as the kernel writes it to ``mountinfo`` (proc_pid_mountinfo(5)).

Rules of this file: it reads and never changes a mount (``mounting`` does). Everything but :func:`table` and
:func:`mount_of` is pure over frozen rows. A filesystem is identified by the device of its superblock as mountinfo
prints it, never by ``st_dev``: on btrfs each subvolume has an ``st_dev`` of its own. Paths are ``os.fsdecode`` strings,
so a name that is not UTF-8 survives the round trip.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

Device = tuple[int, int]

_ESCAPE = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One row. ``root`` is the mounted directory as a path inside its filesystem, ``point`` is where it appears."""

    id: int
    parent: int
    device: Device
    root: str
    point: str
    options: frozenset[str]
    propagation: tuple[str, ...]
    fstype: str
    source: str
    super_options: frozenset[str]

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written through this mount."""
        return "ro" in self.options or "ro" in self.super_options

    def inner(self, path: str) -> str | None:
        """Return the place of *path* inside the filesystem, or ``None`` when it is not below this mount's point."""
        if not within(path, self.point):
            return None
        return join(self.root, os.path.relpath(path, self.point))

    def outer(self, inner: str) -> str | None:
        """Return the path that shows *inner* through this mount, or ``None`` when this mount does not reach it."""
        if not within(inner, self.root):
            return None
        return join(self.point, os.path.relpath(inner, self.root))


def within(path: str, top: str) -> bool:
    """Whether *path* is *top* or lies below it. Both are absolute and normal; compares whole components."""
    return path == top or path.startswith(top if top == "/" else top + "/")


def join(top: str, below: str) -> str:
    """Join and normalise, so that ``.`` disappears and ``/`` stays ``/``."""
    return os.path.normpath(os.path.join(top, below))


class MountTable(tuple[Mount, ...]):
    """The mounts of one reading, in the kernel's order."""

    @cached_property
    def tree(self) -> "MountTree":
        """The same, prepared for many look-ups."""
        return MountTree(self)


class _Reader:
    """Repeated reader of one table; it keeps the rows of the last reading, because most lines stay the same.

    It keeps no more rows than the table has. Several threads may read; each uses the rows it finds.
    """

    def __init__(self) -> None:
        self._rows_by_line: dict[bytes, Mount] = {}

    def read(self, text: bytes) -> MountTable:
        """Return what :func:`parse` returns."""
        cached, lines = self._rows_by_line, [line for line in text.splitlines() if line]
        rows = [cached.get(line) or _row(line) for line in lines]
        self._rows_by_line = dict(zip(lines, rows, strict=True))
        return MountTable(rows)


_OURS = _Reader()


def parse(text: bytes) -> MountTable:
    """Read the whole of a mountinfo file. Raise ``ValueError`` for a line that is not one."""
    return MountTable(_row(line) for line in text.splitlines() if line)


def _row(line: bytes) -> Mount:
    before, separator, after = line.partition(b" - ")
    fields, tail = before.split(b" "), after.split(b" ")
    if not separator or len(fields) < 6 or len(tail) < 3:
        raise ValueError(f"not a mountinfo line: {line!r}")
    major, minor = fields[2].split(b":")
    return Mount(
        id=int(fields[0]),
        parent=int(fields[1]),
        device=(int(major), int(minor)),
        root=_plain(fields[3]),
        point=_plain(fields[4]),
        options=_options(fields[5]),
        propagation=tuple(os.fsdecode(option) for option in fields[6:] if option),
        fstype=_plain(tail[0]),
        source=_plain(tail[1]),
        super_options=_options(tail[2]),
    )


def _plain(field: bytes) -> str:
    """Undo the octal escapes the kernel uses for space, tab, newline and backslash."""
    return os.fsdecode(_ESCAPE.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), field))


def _options(field: bytes) -> frozenset[str]:
    return frozenset(_plain(option) for option in field.split(b","))


def table() -> MountTable:
    """Return every mount of this thread's mount namespace, in the kernel's order."""
    with open("/proc/thread-self/mountinfo", "rb") as file:
        return _OURS.read(file.read())


def mount_id(path: str | int) -> int:
    """Return the id of the mount that *path* (or an open descriptor) is on. Opens with O_PATH: no event, no reading."""
    descriptor = path if isinstance(path, int) else os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        fdinfo = os.open(f"/proc/self/fdinfo/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return int(os.read(fdinfo, 512).partition(b"\nmnt_id:")[2].split(None, 1)[0])
        finally:
            os.close(fdinfo)
    finally:
        if not isinstance(path, int):
            os.close(descriptor)


def mount_of(path: str) -> Mount:
    """Return the mount that a lookup of *path* ends on. Raise ``OSError`` when the path cannot be looked up."""
    number = mount_id(path)
    for mount in table():
        if mount.id == number:
            return mount
    raise FileNotFoundError(f"the mount of {path!r} is not in this namespace, or has just gone")


def resolve(path: str, mounts: Iterable[Mount]) -> Mount | None:
    """Return the mount a lookup of *path* (absolute, without links) ends on, from the table alone.

    From the root mount downwards: of the mounts sitting on the current one, the lookup meets the one nearest to the
    root first; whatever the current mount carries below that point is out of reach.
    """
    return tree_of(mounts).resolve(path)


def tree_of(mounts: Iterable[Mount]) -> "MountTree":
    """Return *mounts* prepared for look-ups; a :class:`MountTable` is prepared once for all callers."""
    return mounts.tree if isinstance(mounts, MountTable) else MountTree(mounts)


class MountTree:
    """A mount table prepared for many look-ups."""

    def __init__(self, mounts: Iterable[Mount]) -> None:
        rows = tuple(mounts)
        mount_ids = {mount.id for mount in rows}
        self._root = next((row for row in rows if row.point == "/" and row.parent not in mount_ids - {row.id}), None)
        self._at = {(row.parent, row.point): row for row in rows if row.parent != row.id}

    def resolve(self, path: str) -> Mount | None:
        """See :func:`resolve`."""
        mount, steps = self._root, prefixes(path)
        while mount is not None:
            number = mount.id
            crossed = next((row for step in steps if (row := self._at.get((number, step)))), None)
            if crossed is None:
                return mount
            mount = crossed
        return None


def prefixes(path: str) -> tuple[str, ...]:
    """Return *path* and every directory above it, from ``/`` downwards."""
    parts = path.strip("/").split("/") if path != "/" else []
    return ("/", *("/" + "/".join(parts[: count + 1]) for count in range(len(parts))))


def siblings(mount: Mount, mounts: Iterable[Mount]) -> tuple[Mount, ...]:
    """Return every mount of the same filesystem, *mount* itself included."""
    return tuple(row for row in mounts if row.device == mount.device)


def self_bind(path: str, mounts: Iterable[Mount]) -> Mount | None:
    """Return the mount that binds the directory *path* onto itself, if a lookup of *path* ends on one."""
    rows = tuple(mounts)
    top = resolve(path, rows)
    if top is None or top.point != path:
        return None
    below = next((row for row in rows if row.id == top.parent), None)
    bound = below is not None and below.device == top.device and below.inner(path) == top.root
    return top if bound else None
