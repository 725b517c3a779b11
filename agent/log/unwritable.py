"""Errors of an unwritable log, for which waiting accesses must be denied (contract C2).

Rules of this file: each of these means that the log is as it was before, and that a retry may succeed.
"""

import errno
from pathlib import Path

from agent.errors import ShoumiError
from rules.text import Message, Sentence

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_HINT = Message("log.access-denied-until-writable")


class LogUnwritableError(ShoumiError):
    """The entries could not be written and the log is as before: their accesses must be denied."""


class LogFullError(LogUnwritableError):
    """There is no space for the entries: disk, quota or file size limit."""


class LogFailedError(LogUnwritableError):
    """The entries could not be written for another reason."""


class LogLockedError(LogUnwritableError):
    """Another process is appending, perhaps one that is about to end."""


def unwritable(folder: Path, error: OSError) -> LogUnwritableError:
    """Return the error for *error*, met in *folder*."""
    kind = LogFullError if error.errno in _NO_SPACE else LogFailedError
    reason = error.strerror or str(error)
    return kind(Message("log.log-not-writable", folder=folder, reason=reason), _HINT)


def lost(folder: Path, reason: Sentence, hint: Sentence | None = None) -> LogFailedError:
    """Return the error of a log in *folder* that differs from what was written, because of *reason*."""
    return LogFailedError(Message("log.log-not-writable", folder=folder, reason=reason), hint or _HINT)


def renewed(error: LogUnwritableError) -> LogUnwritableError:
    """Return a copy of *error*: an exception raised again and again collects tracebacks."""
    return type(error)(error.text, error.hint)
