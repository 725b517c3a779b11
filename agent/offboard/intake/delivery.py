"""Deliveries: files dropped by HR, read without trusting them, by the file rules of docs/hr-integration.md.

Rules of this file: everything goes through the directory's descriptor, no link is followed, and what is not a regular
file is not opened, because opening a device may have effects. The rules are checked on the descriptor that is then
read, so that the file cannot be exchanged in between.
"""

import os
import stat
from dataclasses import dataclass

from agent.offboard.intake.json_strict import LARGEST
from agent.offboard.intake.reasons import BadTokenError

_SAFE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Delivery:
    """One name in ``new/`` as it was read. ``wrong`` is the reason why its contents were not read."""

    name: str
    status: os.stat_result
    contents: bytes = b""
    wrong: BadTokenError | None = None

    @property
    def identity(self) -> tuple[int, ...]:
        """The identity of this file with these contents."""
        return identity(self.status)


def read_delivery(folder: int, name: str, drop_uid: int) -> Delivery | None:
    """Read the delivery *name* in the directory *folder*; return ``None`` when it no longer exists."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            return Delivery(name, status, wrong=BadTokenError("not-a-file"))
        descriptor = os.open(name, _SAFE, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        return _unread(folder, name, error)
    with open(descriptor, "rb", buffering=0) as source:
        status = os.fstat(descriptor)
        if wrong := _against_the_rules(status, drop_uid):
            return Delivery(name, status, wrong=wrong)
        try:
            contents = source.read(LARGEST + 1)
        except OSError as error:
            return Delivery(name, status, wrong=BadTokenError("unreadable", error.strerror or ""))
    return Delivery(name, status, contents or b"")


def identity(status: os.stat_result) -> tuple[int, ...]:
    """Return the identity of a file with its present contents."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _unread(folder: int, name: str, error: OSError) -> Delivery | None:
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Delivery(name, status, wrong=BadTokenError("unreadable", error.strerror or ""))


def _against_the_rules(status: os.stat_result, drop_uid: int) -> BadTokenError | None:
    if not stat.S_ISREG(status.st_mode):
        return BadTokenError("not-a-file")
    if status.st_uid not in (0, drop_uid):
        return BadTokenError("wrong-owner", str(status.st_uid))
    if status.st_nlink != 1:
        return BadTokenError("hard-linked", str(status.st_nlink))
    if status.st_size > LARGEST:
        return BadTokenError("too-large", str(status.st_size))
    return None
