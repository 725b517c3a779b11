"""Whom the appender trusts: a folder that is ours alone, plain files in it, and one appender at a time.

Rules of this file: the folder is opened once and everything in it is reached through that descriptor, never by path, so
that nobody can exchange it under a running agent. Every refusal says what was found and which command mends it.
"""

import errno
import fcntl
import os
import stat
from pathlib import Path

from agent.errors import RefusedError
from agent.log.unwritable import LogLockedError
from rules.text import Text
from rules.visible import visible

LOCK = ".lock"
_SAFE = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # NONBLOCK: a planted FIFO must not hold the agent up


def open_folder(path: Path) -> int:
    """Return a descriptor of the log folder.

    Raises :exc:`RefusedError` when it is missing, no folder, or others could write to it, and OSError.
    """
    shown = visible(str(path))
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError as error:
        raise RefusedError(
            Text(f"the log folder `{shown}` does not exist", f"日志目录 `{shown}` 不存在"),
            Text("`shoumi init` makes it", "用 `shoumi init` 创建"),
        ) from error
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR, errno.EACCES):
            raise
        raise _unusable(error, f"the log folder `{shown}`", f"日志目录 `{shown}`") from error
    status = os.fstat(folder)
    if status.st_uid not in (0, os.geteuid()) or status.st_mode & 0o022:
        os.close(folder)
        raise RefusedError(
            Text(
                f"the log folder `{shown}` can be written by others"
                f" (owner {status.st_uid}, mode {stat.S_IMODE(status.st_mode):04o})",
                f"日志目录 `{shown}` 可被他人写入（属主 {status.st_uid}，权限 {stat.S_IMODE(status.st_mode):04o}）",
            ),
            Text(f"`chown root {shown} && chmod 0700 {shown}`", f"`chown root {shown} && chmod 0700 {shown}`"),
        )
    return folder


def lock(folder: int) -> int:
    """Return a descriptor that holds the folder's one appender's place until it is closed, or its process ends.

    Raises :exc:`LogLockedError` when another process has the place, and OSError (a read-only filesystem, for one).
    """
    descriptor = open_file(folder, LOCK, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise LogLockedError(
            Text("another process is appending to this log", "另有进程正在写入此日志"),
            Text(
                "it is tried again; `fuser .lock` in the log folder names it",
                "将重试；在日志目录运行 `fuser .lock` 可查看该进程",
            ),
        ) from error
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def open_file(folder: int, name: str, flags: int) -> int:
    """Open the plain file *name*.

    Raises :exc:`RefusedError` for a link or anything that is no plain file, and OSError.
    """
    try:
        descriptor = os.open(name, flags | _SAFE, 0o600, dir_fd=folder)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EISDIR, errno.ENXIO):  # a link, a directory, a socket
            raise
    shown = visible(name)
    raise RefusedError(
        Text(f"`{shown}` in the log folder is not a plain file", f"日志目录中的 `{shown}` 不是普通文件"),
        Text("somebody has put it there: look at it, then move it away", "这是他人放入的：先查看，再移走"),
    )


def _unusable(error: OSError, en: str, zh: str) -> RefusedError:
    reason = visible(error.strerror or "")
    return RefusedError(
        Text(f"{en} cannot be used: {reason}", f"{zh}无法使用：{reason}"),
        Text("`shoumi doctor` looks at the disk and the mount", "用 `shoumi doctor` 检查磁盘与挂载"),
    )
