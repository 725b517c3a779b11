"""New mounts that no process can see yet: created, then marked, then moved to their place.

Rules of this file: the five calls and the parsing of options, nothing else. A descriptor is a mount; closing the last
one of a mount that was never moved releases it and its filesystem. The kernel writes its messages about a failure to
the descriptor of fsopen(2); they are part of the error.
Sources: fsopen(2), fsconfig(2), fsmount(2), move_mount(2), open_tree(2) (Linux 5.2), linux/mount.h.
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
# Options of fstab(5) and mount(8) about the mounting itself, not about the filesystem.
_OTHERS = ("defaults", "auto", "noauto", "nofail", "_netdev", "loop", "user", "users", "nouser", "owner", "group")

_libc = ctypes.CDLL(None, use_errno=True)


class MountOptions(NamedTuple):
    """``attributes`` are of the mount (MOUNT_ATTR_*), ``parameters`` of the filesystem: names, ``name=value``."""

    attributes: int
    parameters: tuple[str, ...]


def options(text: str) -> MountOptions:
    """Return the options in *text*, as mount(8) writes them. Set-user-id programs and devices are off by default."""
    attributes, parameters = NOSUID | NODEV, []
    for option in filter(None, text.split(",")):
        if option in _ATTRIBUTES:
            on, off = _ATTRIBUTES[option]
            attributes = attributes & ~off | on
        elif option == "ro":
            attributes |= RDONLY
            parameters.append(option)
        elif option not in _OTHERS and not option.lower().startswith("x-"):
            parameters.append(option)
    return MountOptions(attributes, tuple(parameters))


def make(source: str, fstype: str, chosen: MountOptions) -> int:
    """Return a descriptor of a new invisible mount of *source*. Raises ``OSError`` with the kernel's messages."""
    context = _call(fstype, _SYS_FSOPEN, fstype.encode(), _FSOPEN_CLOEXEC)
    try:
        _configure(context, _SET_STRING, "source", source)
        for parameter in chosen.parameters:
            name, equals, setting = parameter.partition("=")
            _configure(context, _SET_STRING if equals else _SET_FLAG, name, setting if equals else None)
        _configure(context, _CREATE, None, None)
        return _call(source, _SYS_FSMOUNT, context, _FSMOUNT_CLOEXEC, chosen.attributes)
    except OSError as error:
        messages = _kernel_messages(context)
        raise OSError(error.errno, f"{error.strerror}: {messages}" if messages else error.strerror, source) from None
    finally:
        os.close(context)


def move(mount: int, point: str) -> None:
    """Attach the detached mount behind the descriptor *mount* at *point*. Raises ``OSError``."""
    _call(point, _SYS_MOVE_MOUNT, mount, b"", _AT_FDCWD, os.fsencode(point), _MOVE_FROM_EMPTY_PATH)


def detached_copy(root: int) -> int:
    """Return a copy of the mount that *root* is the root of, with all that is mounted on it. Raises ``OSError``."""
    return _call("", _SYS_OPEN_TREE, root, b"", _CLONE | _RECURSIVE | _EMPTY_PATH | os.O_CLOEXEC)


def _configure(context: int, command: int, name: str | None, setting: str | None) -> None:
    texts = (None if name is None else name.encode(), None if setting is None else os.fsencode(setting))
    _call(name or "", _SYS_FSCONFIG, context, command, *texts, 0)


def _kernel_messages(context: int) -> str:
    """Return the kernel's messages about this filesystem: one per read, ENODATA after the last."""
    lines = []
    with contextlib.suppress(OSError):
        while line := os.read(context, 8192):
            lines.append(line.decode("utf-8", "backslashreplace").strip()[2:])  # without the letter of its urgency
    return "; ".join(lines)


def _call(about: str, *arguments: object) -> int:
    returned = int(_libc.syscall(*arguments))
    if returned < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), about)
    return returned
