"""Why an entry is not in the log: what whoever waits for it must deny for (contract C2).

Rules of this file: each of these says that the log is as it was before, and that trying again may succeed.
"""

import errno
from pathlib import Path

from agent.errors import ShoumiError
from rules.text import Text
from rules.visible import visible

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_HINT = Text(
    "until it can be written again every access is denied; free space or mend the disk",
    "在恢复写入之前一切访问均被拒绝；请释放空间或修复磁盘",
)


class LogUnwritableError(ShoumiError):
    """The entries could not be written and the log is as before: whatever they stood for must be denied."""


class LogFullError(LogUnwritableError):
    """There is no space for the entries: disk, quota or file size limit."""


class LogFailedError(LogUnwritableError):
    """The entries could not be written for another reason."""


class LogLockedError(LogUnwritableError):
    """Another process is appending: perhaps one that is about to end."""


def unwritable(folder: Path, error: OSError) -> LogUnwritableError:
    """Return what *error*, met in *folder*, means for whoever waits for an entry."""
    kind = LogFullError if error.errno in _NO_SPACE else LogFailedError
    reason = visible(error.strerror or str(error))
    return kind(_said(folder, reason, reason), _HINT)


def lost(folder: Path, why: Text, hint: Text | None = None) -> LogFailedError:
    """Return that the log in *folder* is not what was written, because of *why*."""
    return LogFailedError(_said(folder, why.en, why.zh), hint or _HINT)


def again(error: LogUnwritableError) -> LogUnwritableError:
    """Return the same once more: an exception that is raised for ever keeps every place it was raised at."""
    return type(error)(error.text, error.hint)


def _said(folder: Path, en: str, zh: str) -> Text:
    shown = visible(str(folder))
    return Text(f"the log in `{shown}` cannot be written: {en}", f"日志 `{shown}` 无法写入：{zh}")
