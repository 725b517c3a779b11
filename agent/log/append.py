r"""The durability of the record: what decides whether an entry survives is in this file (contracts C2 and C7).

What the kernel is asked to do (``strace`` of one appender, durability "power"):

    opening     openat(folder, O_DIRECTORY)  openat(".lock")  flock(LOCK_EX|LOCK_NB)
                openat(last segment, O_RDWR|O_APPEND|O_NOFOLLOW)  pread…(its end)
                a torn tail: openat("torn-…", O_CREAT|O_EXCL)  write  fsync  fsync(folder)  ftruncate(segment)
                fsync(segment)  fsync(folder)
    append      write(segment, all lines of the batch)  fdatasync(segment)
    when full   openat(new segment, O_CREAT|O_EXCL|O_APPEND)  fsync(folder)   before the write
    no space    write = short or ENOSPC  ftruncate(segment, size before the write)

"process" leaves out the fdatasync of ``append``, nothing else: what ``write`` has accepted survives the death of every
process, but not a power cut.

Rules of this file:

* :meth:`Appender.append` returns with the whole batch in the log, or raises with the log as it was before. When neither
  can be said it raises :exc:`FatalError`: the process must end, and opening again finds out what is there.
* No entry is ever rewritten or deleted, except the lines of a batch that did not fit, before anybody relies on them.
* The folder is trusted, and ``folder`` makes sure that it is ours alone.

What remains open:

BUG: after a failed fdatasync Linux may mark the pages clean. Opening again then reads lines from the cache that the
disk never got; a power cut later would take them away and leave a gap in the sequence, which ``verify`` names. None of
these lines had been acknowledged.
BUG: while a batch is cut off again because the disk is full, a reader can have seen some of its lines. Readers that
keep what they read notice by themselves (``segments.Displaced``).
BUG: in "process" a power cut loses what the kernel had not written back, and as segments are written back one by one
it can leave a hole between two of them. ``verify`` names the hole.
BUG: in "process" an error of the kernel's own, later writing-back is not seen here.
BUG: a disk that acknowledges a cache flush without doing it makes "power" an empty word, and nothing here can tell.
"""

import contextlib
import errno
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, NoReturn, Self

from agent.errors import FatalError, ShoumiError
from agent.log import recover, segments
from agent.log.folder import lock, open_file, open_folder
from rules.text import Text
from rules.visible import visible

Durability = Literal["power", "process"]

_LINE = segments.MAX_RECORD + 1
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class LogUnwritableError(ShoumiError):
    """The entries could not be written and the log is as before: whatever they stood for must be denied."""


class LogFullError(LogUnwritableError):
    """There is no space for the entries: disk, quota or file size limit."""


class LogFailedError(LogUnwritableError):
    """The entries could not be written for another reason."""


class Appender:
    """The one writer of a log folder, for one thread. The batch that finds *segment_bytes* in a segment opens the next.

    Opening raises :exc:`RefusedError` for a folder that is missing, read-only or not ours alone and for a segment that
    is no plain file, :exc:`LogUnwritableError` when a torn tail cannot be put aside (a full disk), and
    :exc:`FatalError` when another process is appending or the end of the log contradicts itself.
    """

    next_seq: int  # the number the next line must carry
    last_time: datetime | None  # of the last entry found at opening: nothing may be stamped before it
    recovered: int  # bytes of a torn tail that opening moved to a side file

    def __init__(self, folder: Path, durability: Durability, segment_bytes: int = 64 << 20) -> None:
        self._folder = folder
        self._power = durability == "power"
        self._segment_bytes = segment_bytes
        self._file = -1
        self._size = 0
        self._expected = b""
        with contextlib.ExitStack() as undo:
            self._directory = open_folder(folder)
            undo.callback(os.close, self._directory)
            self._lock = lock(self._directory)
            undo.callback(os.close, self._lock)
            undo.callback(self._drop_file)
            try:
                self._open_end()
            except OSError as error:
                raise self._unwritable(error) from error
            self._closing = undo.pop_all()

    def append(self, lines: Sequence[bytes]) -> None:
        """Write *lines*, records without a newline, as one batch; return when they are as durable as promised.

        The first line must begin ``{"seq":<next_seq>,`` and the others count on from it.

        Raises :exc:`LogFullError` or :exc:`LogFailedError` (nothing was written; the next call may succeed),
        :exc:`FatalError` (state unknown, from now on always), and ValueError for lines that would break the log
        (nothing was written).
        """
        data = b"\n".join(lines) + b"\n"
        count = len(lines)
        if count != 1 or not data.startswith(self._expected) or data.find(b"\n") != len(data) - 1 or len(data) > _LINE:
            self._inspect(lines)
        if self._size >= self._segment_bytes:
            self._next_segment()
        try:
            written = os.write(self._file, data)
        except OSError as error:
            self._cut_back(error)
        if written != len(data):
            self._cut_back(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))  # a plain file has no other reason
        if self._power:
            try:
                os.fdatasync(self._file)
            except OSError as error:
                self._die(error)
        self._size += written
        self.next_seq += count
        self._expected = b'{"seq":%d,' % self.next_seq

    def close(self) -> None:
        """Let go of the log, so that another process may append. Appending afterwards raises :exc:`FatalError`."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_end(self) -> None:
        found = segments.listing(self._folder)
        self.next_seq, self.last_time, self.recovered = 1, None, 0
        if found:
            self._file = open_file(self._directory, found[-1].path.name, os.O_RDWR | os.O_APPEND)
            last = recover.find_end(self._file, found[-1].first)
            self.next_seq, self.last_time, self._size = last.seq + 1, last.time, last.size
            self.recovered = recover.put_aside(self._directory, self._file, last.size, self.next_seq)
            os.fsync(self._file)  # what the next entry follows must not be less durable than that entry
            os.fsync(self._directory)
        else:
            self._create_segment()
        for segment in reversed(found[:-1]):  # only an empty last segment makes this look further back
            if self.last_time:
                break
            with contextlib.ExitStack() as stack:
                descriptor = open_file(self._directory, segment.path.name, os.O_RDONLY)
                stack.callback(os.close, descriptor)
                self.last_time = recover.find_end(descriptor, segment.first).time
        self._expected = b'{"seq":%d,' % self.next_seq

    def _next_segment(self) -> None:
        if self._file < 0:
            self._die(OSError(errno.EBADF, os.strerror(errno.EBADF)))
        try:
            self._create_segment()
        except OSError as error:
            raise self._unwritable(error) from error

    def _create_segment(self) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL
        file = open_file(self._directory, segments.name(self.next_seq), flags)
        self._drop_file()
        self._file, self._size = file, 0
        try:
            os.fsync(self._directory)  # the name must be as durable as what will be written under it
        except OSError as error:
            self._die(error)

    def _cut_back(self, error: OSError) -> NoReturn:
        if self._file < 0:
            self._die(error)
        try:
            os.ftruncate(self._file, self._size)
        except OSError as second:
            self._die(second)
        raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> LogUnwritableError:
        shown, reason = visible(str(self._folder)), visible(error.strerror or str(error))
        kind = LogFullError if error.errno in _NO_SPACE else LogFailedError
        return kind(
            Text(f"the log in `{shown}` cannot be written: {reason}", f"日志 `{shown}` 无法写入：{reason}"),
            Text(
                "until it can be written again every access is denied; free space or mend the disk",
                "在恢复写入之前一切访问均被拒绝；请释放空间或修复磁盘",
            ),
        )

    def _die(self, error: OSError) -> NoReturn:
        self._drop_file()  # every later append meets the closed file and ends here again
        shown, reason = visible(str(self._folder)), visible(error.strerror or str(error))
        raise FatalError(
            Text(f"the state of the log in `{shown}` is unknown: {reason}", f"日志 `{shown}` 状态不明：{reason}")
        ) from error

    def _inspect(self, lines: Sequence[bytes]) -> None:
        if not lines:
            raise ValueError("a batch holds at least one line")
        for seq, line in enumerate(lines, self.next_seq):
            if not line.startswith(b'{"seq":%d,' % seq):
                raise ValueError(f"the line must carry sequence number {seq}: {line[:40]!r}")
            if b"\n" in line:
                raise ValueError(f"entry {seq} holds a newline")
            if len(line) > segments.MAX_RECORD:
                raise ValueError(f"entry {seq} has {len(line)} bytes, at most {segments.MAX_RECORD} are allowed")

    def _drop_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1
