"""LUKS2 containers: made, opened under a name of our own, closed.

Rules of this file: a key is a file that is named, never a word on a command line or in a variable; it must belong to
root and be readable by nobody else. Only containers opened here are closed here. Source: cryptsetup(8).
"""

import contextlib
import os
import stat
from pathlib import Path

from agent.disks import tools
from agent.errors import RefusedError
from rules.text import Text
from rules.visible import visible

_PREFIX = "shoumi-"
_SECONDS = 300.0  # a key derivation takes a second or two, and an emulated machine minutes


def check_key(file: str) -> None:
    """Raise :class:`RefusedError` unless *file* can serve as a key."""
    shown = visible(file)
    try:
        found = os.lstat(file)
    except OSError as error:
        why = visible(str(error.strerror))
        raise RefusedError(
            Text(f"the key file `{shown}` cannot be read: {why}", f"无法读取密钥文件 `{shown}`：{why}")
        ) from None
    if not stat.S_ISREG(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o077 or not found.st_size:
        raise RefusedError(
            Text(
                f"the key file `{shown}` must be a file of root's that nobody else can read, and not empty",
                f"密钥文件 `{shown}` 必须属于 root、他人不可读且不为空",
            ),
            Text(f"chown root {shown} && chmod 400 {shown}", f"chown root {shown} && chmod 400 {shown}"),
        )


def format_device(path: str, key: str) -> None:
    """Make a container on *path*. What was there is gone. Raises :class:`RefusedError`."""
    check_key(key)
    tools.run("cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", "--key-file", key, path, seconds=_SECONDS)


def node_of(uuid: str) -> str | None:
    """Return the node of the container *uuid*, ``None`` when it is not open.

    It is the kernel's own: the one below ``/dev/mapper`` is made by udev, or by who may make nodes.
    """
    for name in Path("/sys/block").glob("dm-*/dm/name"):
        with contextlib.suppress(OSError):  # closed meanwhile
            if name.read_text(encoding="utf-8").strip() == _PREFIX + uuid:
                return f"/dev/{name.parent.parent.name}"
    return None


def open_device(path: str, uuid: str, key: str) -> str:
    """Open the container on *path*, unless it is open already; return its node. Raises :class:`RefusedError`."""
    if node := node_of(uuid):
        return node
    check_key(key)
    words = ("open", "--type", "luks", "--key-file", key, path, _PREFIX + uuid)
    tools.run("cryptsetup", *words, seconds=_SECONDS)
    if node := node_of(uuid):
        return node
    shown = visible(path)
    raise RefusedError(Text(f"`{shown}` was opened, and is not there", f"`{shown}` 已打开却不存在"))


def close_device(uuid: str) -> None:
    """Close the container *uuid*, if we have opened it. Raises :class:`RefusedError` while somebody holds it."""
    if node_of(uuid):
        tools.run("cryptsetup", "close", _PREFIX + uuid)
