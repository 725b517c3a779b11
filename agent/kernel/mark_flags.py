"""Kinds of fanotify marks this kernel supports, found by asking, without placing a mark.

Rules of this file: removing an absent mark returns EINVAL for a mask or flag the kernel does not know, and another
error for one that it does. The effect of a mark on one filesystem is tested by ``agent.volumes.probe``.
Source: fanotify_mark(2).
"""

import errno
import os
from functools import cache
from typing import NamedTuple

from agent.kernel import fanotify
from agent.kernel.fanotify import FAN_ACCESS_PERM, FAN_MARK_EVICTABLE, FAN_MARK_IGNORED_MASK, FAN_PRE_ACCESS

IGNORED = FAN_MARK_IGNORED_MASK | fanotify.FAN_MARK_IGNORED_SURV_MODIFY


MOST_PINNED = 8_192  # ignore marks of one filesystem where they keep their inodes in memory: about 10 MB


class MarkFlags(NamedTuple):
    """``access``: masks that ask about open descriptors, 0 for none. ``evictable``: marks need not pin inodes."""

    access: int
    evictable: bool


@cache
def known() -> MarkFlags:
    """Return the flags of this kernel, asked once per process. Raises ``OSError`` where no group can be made."""
    group = fanotify.init()
    try:
        masks = [mask for mask in (FAN_ACCESS_PERM, FAN_PRE_ACCESS) if _knows(group, 0, mask)]
        return MarkFlags(sum(masks), evictable=_knows(group, FAN_MARK_EVICTABLE | IGNORED, FAN_ACCESS_PERM))
    finally:
        os.close(group)


def ignore_access(group: int, flags: int, mask: int, target: int | str) -> None:
    """Place a mark that ignores the events of the access group about *target*, for the supported part of *mask*.

    FAN_ONDIR is in no such mask: without it, reading a directory is ignored as well. Raises ``OSError``.
    """
    try:
        fanotify.mark(group, flags | IGNORED, mask, target)
    except OSError as error:
        narrower = mask & ~FAN_PRE_ACCESS  # a filesystem that never raises these takes no mark for them either
        if error.errno != errno.EOPNOTSUPP or narrower in (0, mask):
            raise
        fanotify.mark(group, flags | IGNORED, narrower, target)


def _knows(group: int, flags: int, mask: int) -> bool:
    try:
        fanotify.mark(group, fanotify.FAN_MARK_REMOVE | flags, mask, "/")
    except OSError as error:
        return error.errno != errno.EINVAL
    return True
