"""Becoming somebody who may do nothing on this host but speak to the doors.

Rules of this file: it only takes away, and checks that it is gone. The groups that stay are those of the serial ports.
Sources: setresuid(2), capabilities(7) "Effect of user ID changes on capabilities".
"""

import os
import resource
from collections.abc import Sequence

from agent.confinement import process_rights
from agent.confinement.confine import Say, confine
from agent.errors import FatalError
from rules.text import Text

_FILES = 4096  # descriptors: a socket per question and board, a port per line


def become(uid: int, gid: int, groups: Sequence[int]) -> None:
    """Become *uid*, *gid* and *groups* for good. Raises :class:`FatalError` when that fails, or would leave us root."""
    if uid == 0 or gid == 0 or 0 in groups:
        raise FatalError(Text("the doors process is never root", "门禁进程不得以 root 身份运行"))
    try:
        os.setgroups(groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    except OSError:
        raise _failed() from None
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid) or _becomes_root():
        raise _failed()


def seal(say: Say) -> None:
    """Keep no capability, run no program, leave no core; nobody of the same account may look into our memory.

    *say* what of it this kernel does not offer. Raises :class:`FatalError`.
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
    return FatalError(Text("the doors process could not give up its privileges", "门禁进程无法放弃特权"))
