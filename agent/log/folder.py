"""The log folder: a folder of the agent alone, regular files in it, and one appender at a time.

Rules of this file: the folder is opened once and everything in it is reached through that descriptor, never by path, so
that it cannot be exchanged under a running agent. Every refusal names the finding and the command that repairs it.
"""

import errno
import fcntl
import os
import stat
from pathlib import Path

from agent.errors import RefusedError
from agent.log.unwritable import LogLockedError
from rules.text import Message
from rules.visible import visible

LOCK = ".lock"
_SAFE = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # NONBLOCK: a planted FIFO must not block the agent


def open_folder(path: Path) -> int:
    """Return a descriptor of the log folder.

    Raises :exc:`RefusedError` when it is missing, no folder, or writable by others, and OSError.
    """
    folder_name = visible(str(path))
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError as error:
        raise RefusedError(
            Message("log.folder-missing", folder=folder_name),
            Message("log.init-creates-folder"),
        ) from error
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR, errno.EACCES):
            raise
        raise _unusable(error, folder_name) from error
    status = os.fstat(folder)
    if status.st_uid not in (0, os.geteuid()) or status.st_mode & 0o022:
        os.close(folder)
        raise RefusedError(
            Message(
                "log.folder-writable-by-others",
                folder=folder_name,
                owner=status.st_uid,
                mode=f"{stat.S_IMODE(status.st_mode):04o}",
            ),
            Message("log.restrict-folder", folder=folder_name),
        )
    return folder


def lock(folder: int) -> int:
    """Return a descriptor that holds the lock of the folder's one appender until it is closed, or its process ends.

    Raises :exc:`LogLockedError` when another process has the lock, and OSError (a read-only filesystem, for one).
    """
    descriptor = open_file(folder, LOCK, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise LogLockedError(
            Message("log.locked-by-another-process"),
            Message("log.retry-find-process"),
        ) from error
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def open_file(folder: int, name: str, flags: int) -> int:
    """Open the regular file *name*.

    Raises :exc:`RefusedError` for a link or any other kind of file, and OSError.
    """
    try:
        descriptor = os.open(name, flags | _SAFE, 0o600, dir_fd=folder)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EISDIR, errno.ENXIO):  # a link, a directory, a socket
            raise
    file_name = visible(name)
    raise RefusedError(
        Message("log.file-not-regular", name=file_name),
        Message("log.inspect-then-move"),
    )


def _unusable(error: OSError, folder_name: str) -> RefusedError:
    reason = visible(error.strerror or "")
    return RefusedError(
        Message("log.folder-unusable", folder=folder_name, reason=reason),
        Message("log.doctor-checks-disk"),
    )
