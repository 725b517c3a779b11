"""Ignore marks on kernels whose marks keep their inodes in memory (before 5.19): bounded, the oldest removed first.

Rules of this file: an inode is remembered by its handle, which keeps nothing open, and not by a descriptor, which would
prevent unmounting the volume. It is opened again through the inode that is silenced now; it is in memory, so nothing is
read from the disk. Directories are not silenced here: reopening one may take a walk to its root.
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
        """Record that all marks of the group were removed."""
        self._handles.clear()

    def _drop(self, volume_fd: int, handles: dict[bytes, None]) -> None:
        oldest = next(iter(handles))
        try:
            descriptor = open_handle(volume_fd, oldest)
            try:
                mark_flags.ignore_access(
                    self._group, fanotify.FAN_MARK_REMOVE, self._mask, f"/proc/self/fd/{descriptor}"
                )
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno not in (errno.ESTALE, errno.ENOENT):  # else the inode is gone, and its mark with it
                fanotify.flush_ignored(self._group)  # loud is never less safe; an unreachable mark would stay
                self.forget()
                return
        del handles[oldest]
