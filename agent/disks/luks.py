"""LUKS2 containers: creating, opening under a name of our own, closing.

Rules of this file: a key is the path of a file, never a text on a command line or in a variable; the file must belong
to root and be readable by nobody else. Only containers opened here are closed here. Source: cryptsetup(8).
"""

import contextlib
import os
import stat
from pathlib import Path

from agent.disks import tools
from agent.errors import RefusedError
from rules.text import Message
from rules.visible import visible

_PREFIX = "shoumi-"
_SECONDS = 300.0  # a key derivation takes a second or two, on an emulated machine minutes


def check_key(file: str) -> None:
    """Raise :class:`RefusedError` unless *file* is acceptable as a key file."""
    shown_file = visible(file)
    try:
        status = os.lstat(file)
    except OSError as error:
        reason = visible(str(error.strerror))
        raise RefusedError(Message("disks.key-file-unreadable", file=shown_file, reason=reason)) from None
    if not stat.S_ISREG(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o077 or not status.st_size:
        raise RefusedError(
            Message("disks.key-file-unsafe", file=shown_file),
            Message("disks.restrict-key-file", file=shown_file),
        )


def format_device(path: str, key: str) -> None:
    """Create a container on *path*, which destroys its content. Raises :class:`RefusedError`."""
    check_key(key)
    tools.run("cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", "--key-file", key, path, seconds=_SECONDS)


def node_of(uuid: str) -> str | None:
    """Return the device node of the container *uuid*, ``None`` when it is not open.

    It is the kernel's own node: nodes below ``/dev/mapper`` are created by udev or any process that may create nodes.
    """
    for name in Path("/sys/block").glob("dm-*/dm/name"):
        with contextlib.suppress(OSError):  # closed in the meantime
            if name.read_text(encoding="utf-8").strip() == _PREFIX + uuid:
                return f"/dev/{name.parent.parent.name}"
    return None


def open_device(path: str, uuid: str, key: str) -> str:
    """Open the container on *path*, unless it is already open; return its node. Raises :class:`RefusedError`."""
    if node := node_of(uuid):
        return node
    check_key(key)
    arguments = ("open", "--type", "luks", "--key-file", key, path, _PREFIX + uuid)
    tools.run("cryptsetup", *arguments, seconds=_SECONDS)
    if node := node_of(uuid):
        return node
    shown_path = visible(path)
    raise RefusedError(Message("disks.container-node-missing", path=shown_path))


def close_device(uuid: str) -> None:
    """Close the container *uuid*, if it was opened here. Raises :class:`RefusedError` while it is held."""
    if node_of(uuid):
        tools.run("cryptsetup", "close", _PREFIX + uuid)
