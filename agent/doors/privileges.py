"""Privilege drop of the doors process to an account that may only reach the door devices.

Rules of this file: it only removes rights, and verifies that. The remaining groups are those of the serial ports.
Sources: setresuid(2), capabilities(7) "Effect of user ID changes on capabilities".
"""

import os
import resource
from collections.abc import Sequence

from agent.confinement import process_rights
from agent.confinement.confine import Say, confine
from agent.errors import FatalError
from rules.text import Message

_FILES = 4096  # descriptors: a socket per question and board, a port per line


def become(uid: int, gid: int, groups: Sequence[int]) -> None:
    """Switch to *uid*, *gid* and *groups* for good. Raises :class:`FatalError` when that fails or would keep root."""
    if uid == 0 or gid == 0 or 0 in groups:
        raise FatalError(Message("common.doors-process-never-root"))
    try:
        os.setgroups(groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    except OSError:
        raise _failed() from None
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid) or _becomes_root():
        raise _failed()


def seal(say: Say) -> None:
    """Drop all capabilities; forbid programs, core dumps, and access to this memory by processes of the same account.

    *say* gets what this kernel does not support. Raises :class:`FatalError`.
    """
    try:
        confine(process_rights.DOORS, say)
    except OSError:
        raise _failed() from None
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = _FILES if most == resource.RLIM_INFINITY else min(_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def _becomes_root() -> bool:
    try:
        os.setuid(0)
    except PermissionError:
        return False
    return True


def _failed() -> FatalError:
    return FatalError(Message("doors.privileges-not-dropped"))
