"""A mount that exists before anybody can see it: made, then marked, then moved to its place.

Rules of this file: the five calls and the reading of options, nothing else. A descriptor is a mount; closing the last
one of a mount that was never moved lets it go, and its filesystem with it. What the kernel says of a failure it says
into the descriptor of fsopen(2); that text is in the error. Sources: fsopen(2), fsconfig(2), fsmount(2), move_mount(2),
open_tree(2) (Linux 5.2), linux/mount.h.
"""

import contextlib
import ctypes
import os
from typing import NamedTuple

_SYS_OPEN_TREE, _SYS_MOVE_MOUNT, _SYS_FSOPEN, _SYS_FSCONFIG, _SYS_FSMOUNT = 428, 429, 430, 431, 432
_FSOPEN_CLOEXEC = _FSMOUNT_CLOEXEC = 1
_SET_FLAG, _SET_STRING, _CREATE = 0, 1, 6
_MOVE_FROM_EMPTY_PATH = 4
_CLONE, _RECURSIVE, _EMPTY_PATH = 1, 0x8000, 0x1000
_AT_FDCWD = -100

RDONLY, NOSUID, NODEV, NOEXEC, NOATIME, NODIRATIME = 0x1, 0x2, 0x4, 0x8, 0x10, 0x80
_ATTRIBUTES = {
    "nosuid": (NOSUID, 0), "suid": (0, NOSUID), "nodev": (NODEV, 0), "dev": (0, NODEV),
    "noexec": (NOEXEC, 0), "exec": (0, NOEXEC), "noatime": (NOATIME, 0), "relatime": (0, NOATIME),
    "nodiratime": (NODIRATIME, 0), "diratime": (0, NODIRATIME), "rw": (0, RDONLY),
}  # fmt: skip
# Words of fstab(5) and mount(8) that are about who mounts when, not about the filesystem.
_OTHERS = ("defaults", "auto", "noauto", "nofail", "_netdev", "loop", "user", "users", "nouser", "owner", "group")

_libc = ctypes.CDLL(None, use_errno=True)


class MountOptions(NamedTuple):
    """``attributes`` are of the mount (MOUNT_ATTR_*), ``parameters`` of the filesystem: words, ``name=value``."""

    attributes: int
    parameters: tuple[str, ...]


def options(text: str) -> MountOptions:
    """Read *text* as mount(8) writes options. Set-user-id programs and device files are off unless asked for."""
    attributes, parameters = NOSUID | NODEV, []
    for word in filter(None, text.split(",")):
        if word in _ATTRIBUTES:
            on, off = _ATTRIBUTES[word]
            attributes = attributes & ~off | on
        elif word == "ro":
            attributes |= RDONLY
            parameters.append(word)
        elif word not in _OTHERS and not word.lower().startswith("x-"):
            parameters.append(word)
    return MountOptions(attributes, tuple(parameters))


def make(source: str, fstype: str, chosen: MountOptions) -> int:
    """Return a descriptor of a new mount of *source* that nobody sees. Raises ``OSError`` with what the kernel said."""
    context = _call(fstype, _SYS_FSOPEN, fstype.encode(), _FSOPEN_CLOEXEC)
    try:
        _configure(context, _SET_STRING, "source", source)
        for parameter in chosen.parameters:
            name, equals, value = parameter.partition("=")
            _configure(context, _SET_STRING if equals else _SET_FLAG, name, value if equals else None)
        _configure(context, _CREATE, None, None)
        return _call(source, _SYS_FSMOUNT, context, _FSMOUNT_CLOEXEC, chosen.attributes)
    except OSError as error:
        said = _said(context)
        raise OSError(error.errno, f"{error.strerror}: {said}" if said else error.strerror, source) from None
    finally:
        os.close(context)


def move(mount: int, point: str) -> None:
    """Attach the detached mount behind the descriptor *mount* at *point*. Raises ``OSError``."""
    _call(point, _SYS_MOVE_MOUNT, mount, b"", _AT_FDCWD, os.fsencode(point), _MOVE_FROM_EMPTY_PATH)


def detached_copy(root: int) -> int:
    """Return a copy of the mount that *root* is the root of, with all that is mounted on it. Raises ``OSError``."""
    return _call("", _SYS_OPEN_TREE, root, b"", _CLONE | _RECURSIVE | _EMPTY_PATH | os.O_CLOEXEC)


def _configure(context: int, command: int, name: str | None, value: str | None) -> None:
    words = (None if name is None else name.encode(), None if value is None else os.fsencode(value))
    _call(name or "", _SYS_FSCONFIG, context, command, *words, 0)


def _said(context: int) -> str:
    """Return what the kernel has said of this filesystem: one message a read, ENODATA when there is no more."""
    lines = []
    with contextlib.suppress(OSError):
        while line := os.read(context, 8192):
            lines.append(line.decode("utf-8", "backslashreplace").strip()[2:])  # without the letter of its urgency
    return "; ".join(lines)


def _call(about: str, *arguments: object) -> int:
    found = int(_libc.syscall(*arguments))
    if found < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), about)
    return found
