r"""The appender: writing entries to the record, with its durability guarantees (contracts C2 and C7).

System calls (``strace`` of one appender, durability "power"):

    opening     openat(folder, O_DIRECTORY)  openat(".lock")  flock(LOCK_EX|LOCK_NB)
                openat(last segment, O_RDWR|O_APPEND|O_NOFOLLOW)  pread…(its end)
                a torn tail: openat("torn-…", O_CREAT|O_EXCL)  write  fsync  fsync(folder)  ftruncate(segment)
                fsync(segment)  fsync(folder)
    room        fallocate(segment, KEEP_SIZE, behind its end) whenever less than the reserve for acts would be left
    append      fstat(segment)  write(segment, all lines of the batch)  fdatasync(segment)
    each second newfstatat(folder)  newfstatat(segment's name)  newfstatat(".lock")   before the write
    when full   openat(new segment, O_CREAT|O_EXCL|O_APPEND)  fsync(folder)   before the write
    no space    write = short or ENOSPC  ftruncate(segment, size before the write)
    trouble     close(segment), and where that fails close(".lock"), close(folder);
                before the next write, ten times a second at most:
                openat(folder)  openat(segment)  pread(its last line)  ftruncate  fsync(segment)  fsync(folder)
                or, where the segment differs from what was written: openat(new segment, O_CREAT|O_EXCL)  fsync(folder)

"process" leaves out the fdatasync of ``append``, nothing else: what ``write`` has accepted survives the death of every
process, but not a power cut. It waits for the file system only, and only inside these calls.

Rules of this file:

* :meth:`Appender.append` returns with the whole batch in the log, or raises with the log as it was before. Where the
  file system does not say which (a failed fdatasync, a refused truncation), the file is closed, and the next call
  examines it first: it removes lines that no caller relies on.
* Before each write the segment must still have a name and exactly the bytes that were written. If not, the batch is
  denied, and the log continues in a new segment with the next number: missing entries are never numbered again, so
  ``verify`` names them, and :attr:`Appender.missing` reports them for an entry.
* The log continues only in its own folder: another folder in its place, an older copy or an empty one, is not written
  to until it holds the last entry, or the agent is restarted.
* No entry is ever rewritten or deleted, except the lines of a failed batch, before any caller relies on them.
* The folder is trusted, and ``folder`` ensures that it belongs to the agent alone.

Known limits:

BUG: after a failed fdatasync Linux may mark the pages clean. Lines that were acknowledged in "process", and share
pages with the failed ones, can be lost in a power cut without further notice; ``verify`` names the gap.
BUG: while a batch is cut off again because the disk is full, a reader can have seen some of its lines. Readers that
keep what they read detect it (``segments.DisplacedSegmentError``).
BUG: in "process" a power cut loses what the kernel had not written back, and as segments are written back one by one
a gap between two of them is possible. ``verify`` names it.
BUG: in "process" an error of the kernel's later write-back is not detected here.
BUG: a disk that acknowledges a cache flush without doing it makes "power" ineffective, and nothing here can detect it.
"""

import contextlib
import errno
import os
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple, NoReturn, Self

from agent.errors import FatalError, RefusedError
from agent.log import recover, segments
from agent.log.folder import open_file
from agent.log.place import LogPlace, Tail, close
from agent.log.reserve import SegmentReserve, give_back
from agent.log.unwritable import LogFullError, LogUnwritableError, lost, renewed, unwritable
from rules.text import Message, Sentence
from rules.visible import visible

Durability = Literal["power", "process"]

_LINE = segments.MAX_RECORD + 1
_LOOK = 1.0  # seconds between two checks of the names
_AGAIN = 0.1  # … between two attempts to continue


class MissingEntries(NamedTuple):
    """Entries that were in the log and are missing now: the first and the last number, and the reason."""

    first: int
    last: int
    reason: Sentence


class Appender:
    """The one writer of a log folder, for one thread. A batch that finds *segment_bytes* in a segment opens the next.

    Opening raises :exc:`RefusedError` for a folder that is missing or not ours alone and for a segment that is no plain
    file, :exc:`LogLockedError` when another process is appending, another :exc:`LogUnwritableError` when the file
    system refuses (read-only, full), and :exc:`FatalError` when the end of the log contradicts itself.
    """

    next_seq: int  # the number the next line must carry
    last_time: datetime | None  # of the last entry found at opening
    last_clocks: tuple[int, str] | None  # its boot time in microseconds, and which boot's: see ``recover.End``
    recovered: int  # bytes of a torn tail moved to a side file since it was last set to 0
    missing: MissingEntries | None  # entries found missing since it was last set to None

    def __init__(self, folder: Path, durability: Durability, segment_bytes: int = 64 << 20) -> None:
        self._folder = folder
        self._power = durability == "power"
        self._segment_bytes = segment_bytes
        self._place = LogPlace(folder)
        self._file = -1
        self._closed = False
        self._name, self._size, self._last, self._failed = "", 0, b"", b""
        self._reserve = SegmentReserve()
        self._look_at = self._again_at = 0.0
        self._trouble: LogUnwritableError | None = None
        self._lost: Sentence | None = None
        self._expected = b""
        self.recovered, self.missing = 0, None
        try:
            self._place.open()
            self._open_end()
        except OSError as error:
            self.close()
            raise unwritable(folder, error) from error
        except BaseException:
            self.close()
            raise

    @property
    def intact(self) -> bool:
        """Whether the next batch can be written without examining the log first."""
        return self._file >= 0

    def append(self, lines: Sequence[bytes], *, act: bool = False) -> None:
        """Write *lines*, records without a newline, as one batch; return when they are as durable as promised.

        The first line must begin ``{"seq":<next_seq>,`` and the others count on from it. An *act* may use the room that
        accesses may not (:mod:`agent.log.reserve`).

        Raises :exc:`LogUnwritableError` (nothing was written; the next call may succeed), :exc:`FatalError` when it is
        closed, and ValueError for lines that would break the log (nothing was written).
        """
        batch = b"\n".join(lines) + b"\n"
        count = len(lines)
        if (
            count != 1
            or not batch.startswith(self._expected)
            or batch.find(b"\n") != len(batch) - 1
            or len(batch) > _LINE
        ):
            self._inspect(lines)
        if self._file < 0:
            self.reopen()
            if not batch.startswith(self._expected):
                raise lost(self._folder, Message("log.appended-by-another-process"))
        try:
            status = os.fstat(self._file)
        except OSError as error:
            self._let_go(b"", error)
        if status.st_size != self._size or not status.st_nlink or time.monotonic() >= self._look_at:
            self._check(status)
        if self._size >= self._segment_bytes:
            self._next_segment(act=act)
        self._make_room(len(batch), act=act)
        try:
            written = os.write(self._file, batch)
        except OSError as error:
            self._cut_back(batch, error)
        if written != len(batch):
            self._cut_back(batch, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))  # a regular file has no other cause
        if self._power:
            try:
                os.fdatasync(self._file)
            except OSError as error:
                self._let_go(batch, error)
        self._size += written
        self._last = lines[-1]
        self.next_seq += count
        self._expected = b'{"seq":%d,' % self.next_seq

    def has_room(self, length: int) -> bool:
        """Return whether accesses of *length* bytes would find room; ``True`` for a log that must be reopened first."""
        try:
            return self._file < 0 or self._reserve.holds(self._file, self._size, length, act=False)
        except OSError:
            return True  # the next write reports the error

    def full(self) -> LogUnwritableError:
        """Return the error of a log without space."""
        return unwritable(self._folder, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    def reopen(self) -> None:
        """Continue after trouble: examine the log, and remove lines that no caller relies on. Otherwise do nothing.

        Where another process has appended meanwhile, ``next_seq`` has changed afterwards.

        Raises :exc:`LogUnwritableError`, at once and without examining if it was tried a moment ago, and
        :exc:`FatalError` when it is closed, or another process has taken the log over so that it must be opened anew.
        """
        if self._file >= 0:
            return
        if self._closed:
            raise FatalError(Message("log.log-closed"))
        if self._trouble and time.monotonic() < self._again_at:
            raise renewed(self._trouble)
        try:
            self._go_on()
        except LogUnwritableError as error:
            self._put_off(error)
        except RefusedError as error:
            self._put_off(lost(self._folder, error.text, error.hint))
        except LookupError:
            self._put_off(self._elsewhere())
        except OSError as error:
            self._put_off(unwritable(self._folder, error))

    def close(self) -> None:
        """Release the log, so that another process may append. Appending afterwards raises :exc:`FatalError`."""
        self._closed = True
        self._drop_file()
        self._place.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_end(self) -> None:
        existing = segments.listing(self._folder)
        self.next_seq, self.last_time, self.last_clocks = 1, None, None
        end = recover.End(0, None, 0)
        if existing:
            self._name = existing[-1].path.name
            self._file = open_file(self._place.directory, self._name, os.O_RDWR | os.O_APPEND)
            end = recover.find_end(self._file, existing[-1].first)
            self.next_seq, self._size, self._last = end.seq + 1, end.size, end.line
            self.recovered += recover.put_aside(self._place.directory, self._file, end.size, self.next_seq)
            os.fsync(self._file)  # the last entry must be as durable as the next one
            os.fsync(self._place.directory)
        else:
            self._create_segment()
        self._reserve.begin(self._file, self._size)
        for segment in reversed(existing[:-1]):  # further back only while the last segment is empty
            if end.time:
                break
            with contextlib.ExitStack() as stack:
                descriptor = open_file(self._place.directory, segment.path.name, os.O_RDONLY)
                stack.callback(os.close, descriptor)
                end = recover.find_end(descriptor, segment.first)
        self.last_time, self.last_clocks = end.time, end.clocks
        self._expected = b'{"seq":%d,' % self.next_seq

    # Comparing the log with what was written.

    def _check(self, status: os.stat_result) -> None:
        segment = visible(self._name)
        if not status.st_nlink:
            self._report_loss(Message("log.segment-deleted", name=segment))
        if status.st_size != self._size:
            self._report_loss(
                Message("log.segment-size-differs", name=segment, size=status.st_size, written=self._size)
            )
        if not self._place.still_there():
            self._report_loss(Message("log.folder-replaced"))
        if not self._place.holds(self._name, self._file):
            self._report_loss(Message("log.segment-renamed", name=segment))
        self._look_at = time.monotonic() + _LOOK

    def _report_loss(self, reason: Sentence) -> NoReturn:
        self._lost = reason
        self._drop_file()
        raise lost(self._folder, reason)

    # Continuing.

    def _go_on(self) -> None:
        """Continue after the last entry: in the segment if it holds that entry, in a new one if not."""
        self._file, lock_kept = self._place.reopen(Tail(self._name, self._size, self._last))
        if self._file < 0:
            self._begin_anew()
        elif self._is_ours(self._file) or lock_kept:
            self._take_back(self._file)
        else:
            self._drop_file()
            self._open_end()  # another process may have continued meanwhile
        os.fsync(self._file)
        os.fsync(self._place.directory)
        self._reserve.begin(self._file, self._size)
        self._trouble = self._lost = None
        self._failed = b""
        self._look_at = 0.0

    def _is_ours(self, file: int) -> bool:
        """Return whether only lines of this process that no caller relies on follow the last entry."""
        tail = os.pread(file, len(self._failed) + 1, self._size)
        return bool(tail) and self._failed.startswith(tail)

    def _take_back(self, file: int) -> None:
        """Cut off what follows the last entry. Lines of other origin are kept in a side file."""
        if self._is_ours(file):
            os.ftruncate(file, self._size)
        else:
            self.recovered += recover.put_aside(self._place.directory, file, self._size, self.next_seq)

    def _begin_anew(self) -> None:
        """Continue in a new segment, and note which entries are missing before it."""
        first, reason = int(self._name.split(".")[0]), self._lost or Message("log.segment-replaced")
        last_present = first - 1
        with contextlib.suppress(FileNotFoundError, RefusedError, FatalError), contextlib.ExitStack() as stack:
            file = open_file(self._place.directory, self._name, os.O_RDONLY)
            stack.callback(os.close, file)
            last_present = min(recover.find_end(file, first).seq, self.next_seq - 2)
        if last_present + 1 < self.next_seq:
            first = min(last_present + 1, self.missing.first if self.missing else last_present + 1)
            self.missing = MissingEntries(first, self.next_seq - 1, reason)
        try:
            self._create_segment()
        except FileExistsError:
            raise FatalError(lost(self._folder, Message("log.continued-by-another-process")).text) from None

    def _elsewhere(self) -> LogUnwritableError:
        last = self.next_seq - 1
        return lost(
            self._folder,
            Message("log.folder-without-last-entry", last=last),
            Message("log.restore-folder-or-restart"),
        )

    def _next_segment(self, *, act: bool) -> None:
        try:
            self._create_segment(reserved=True)
        except OSError as error:
            refused = unwritable(self._folder, error)
            if not (act and isinstance(refused, LogFullError)):  # an act uses the rest of the old segment
                raise refused from error

    def _create_segment(self, *, reserved: bool = False) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL
        name = segments.name(self.next_seq)
        file = open_file(self._place.directory, name, flags)
        if reserved:
            self._exchange_reserve(file, name)
        self._drop_file()
        self._file, self._name, self._size, self._last = file, name, 0, b""
        try:
            os.fsync(self._place.directory)  # the name must be as durable as the entries under it
        except OSError as error:
            self._let_go(b"", error)

    def _exchange_reserve(self, file: int, name: str) -> None:
        """Reserve space for the new segment before the old one's reserve is released. Raises ``OSError``."""
        reserve = SegmentReserve()
        with contextlib.ExitStack() as undo:
            undo.callback(os.unlink, name, dir_fd=self._place.directory)
            undo.callback(close, file)
            reserve.require(file)
            undo.pop_all()
        give_back(self._file, self._size)
        self._reserve = reserve

    def _make_room(self, length: int, *, act: bool) -> None:
        try:
            room = self._reserve.holds(self._file, self._size, length, act=act)
        except OSError as error:
            self._let_go(b"", error)
        if not room:
            raise self.full()

    # Trouble.

    def _cut_back(self, batch: bytes, error: OSError) -> NoReturn:
        try:
            os.ftruncate(self._file, self._size)
            self._reserve.cut(self._size)
        except OSError:
            self._let_go(batch, error)
        raise unwritable(self._folder, error) from error

    def _let_go(self, batch: bytes, error: OSError) -> NoReturn:
        """Close the file: how much of *batch* is in it is examined when it is reopened."""
        self._failed = batch
        self._drop_file()
        raise unwritable(self._folder, error) from error

    def _put_off(self, error: LogUnwritableError) -> NoReturn:
        self._drop_file()
        self._place.close()  # open files keep the filesystem from being unmounted, checked and mounted again
        self._trouble, self._again_at = error, time.monotonic() + _AGAIN
        raise error

    def _drop_file(self) -> None:
        close(self._file)
        self._file = -1

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
