"""Reasons of the operating system for a failed call, in both languages (errno(3)).

Rules of this file: pure. An errno without a sentence here is shown as the C library has it.
"""

import errno
from typing import Final

from rules.text import Message, Sentence, foreign

_REASONS: Final = {
    errno.ENOENT: Message("presentation.errno-no-such-file"),
    errno.EACCES: Message("presentation.errno-permission-denied"),
    errno.EPERM: Message("presentation.errno-not-permitted"),
    errno.EEXIST: Message("presentation.errno-exists"),
    errno.ENOTDIR: Message("presentation.errno-not-a-directory"),
    errno.EISDIR: Message("presentation.errno-is-a-directory"),
    errno.ENOSPC: Message("presentation.errno-no-space"),
    errno.EROFS: Message("presentation.errno-read-only"),
    errno.EIO: Message("presentation.errno-input-output"),
    errno.ELOOP: Message("presentation.errno-too-many-links"),
    errno.ENAMETOOLONG: Message("presentation.errno-name-too-long"),
    errno.ENXIO: Message("presentation.errno-no-such-device"),
    errno.EBUSY: Message("presentation.errno-busy"),
    errno.ECONNREFUSED: Message("presentation.errno-connection-refused"),
}


def os_reason(error: BaseException) -> Sentence:
    """Return the reason of *error*: that of its errno where it has one."""
    if isinstance(error, OSError) and error.errno is not None:
        return _REASONS.get(error.errno) or foreign(error.strerror or str(error))
    return foreign(str(error))
