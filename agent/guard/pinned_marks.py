"""Ignore marks on kernels whose marks keep their inodes in memory (before 5.19): bounded, the oldest out first.

Rules of this file: an inode is remembered by its handle, which holds on to nothing, and not by a descriptor, which
would keep the volume from being unmounted. It is found again beside the one that is silenced now; it is in memory, so
nothing is read from the disk. Directories are not silenced here: to find one again may take a walk to its root.
"""

import errno
import os

from agent.kernel import fanotify, mark_flags
from agent.kernel.file_handle import handle_of, open_handle
from agent.kernel.mark_flags import MOST_PINNED


class PinnedMarks:
    """The ignore marks of the access group *group*. Owner: :class:`agent.guard.ignore_marks.IgnoreMarks`."""

    def __init__(self, group: int, mask: int, most: int = MOST_PINNED) -> None:
        self._group = group
        self._mask = mask
        self._most = most
        self._handles: dict[int, dict[bytes, None]] = {}  # by device, the oldest first

    def place(self, fd: int) -> None:
        """Silence the inode open as *fd*. Raises ``OSError``; then it stays loud."""
        handles = self._handles.setdefault(os.fstat(fd).st_dev, {})
        handle = handle_of(fd)
        if handle not in handles and len(handles) >= self._most:
            self._drop(fd, handles)
        mark_flags.ignore_access(self._group, fanotify.FAN_MARK_ADD, self._mask, fd)
        handles[handle] = None

    def forget(self) -> None:
        """Take note that all marks of the group have been taken away."""
        self._handles.clear()

    def _drop(self, beside: int, handles: dict[bytes, None]) -> None:
        oldest = next(iter(handles))
        try:
            found = open_handle(beside, oldest)
            try:
                mark_flags.ignore_access(self._group, fanotify.FAN_MARK_REMOVE, self._mask, f"/proc/self/fd/{found}")
            finally:
                os.close(found)
        except OSError as error:
            if error.errno not in (errno.ESTALE, errno.ENOENT):  # else the inode is gone, and its mark with it
                fanotify.flush_ignored(self._group)  # loud is never less safe; a mark that nobody finds would stay
                self.forget()
                return
        del handles[oldest]
