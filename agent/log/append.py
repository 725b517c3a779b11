r"""The durability of the record: what decides whether an entry survives is in this file (contracts C2 and C7).

What the kernel is asked to do (``strace`` of one appender, durability "power"):

    opening     openat(folder, O_DIRECTORY)  openat(".lock")  flock(LOCK_EX|LOCK_NB)
                openat(last segment, O_RDWR|O_APPEND|O_NOFOLLOW)  pread…(its end)
                a torn tail: openat("torn-…", O_CREAT|O_EXCL)  write  fsync  fsync(folder)  ftruncate(segment)
                fsync(segment)  fsync(folder)
    room        fallocate(segment, KEEP_SIZE, behind its end) whenever less than what is kept for acts would be left
    append      fstat(segment)  write(segment, all lines of the batch)  fdatasync(segment)
    each second newfstatat(folder)  newfstatat(segment's name)  newfstatat(".lock")   before the write
    when full   openat(new segment, O_CREAT|O_EXCL|O_APPEND)  fsync(folder)   before the write
    no space    write = short or ENOSPC  ftruncate(segment, size before the write)
    trouble     close(segment), and where going on fails close(".lock"), close(folder);
                before the next write, ten times a second at most:
                openat(folder)  openat(segment)  pread(its last line)  ftruncate  fsync(segment)  fsync(folder)
                or, where the segment is not what was written: openat(new segment, O_CREAT|O_EXCL)  fsync(folder)

"process" leaves out the fdatasync of ``append``, nothing else: what ``write`` has accepted survives the death of every
process, but not a power cut. Nothing here waits for anything but the file system, and for that only inside these calls.

Rules of this file:

* :meth:`Appender.append` returns with the whole batch in the log, or raises with the log as it was before. Where the
  file system does not say which (a failed fdatasync, a cut that is refused), the file is let go of, and the next call
  finds out first: it takes back what nobody relies on.
* Before each write the segment must still have a name and exactly the bytes that were written. When it has not, the
  batch is denied, and the log goes on in a new segment with the next number: what is gone is never numbered again, so
  ``verify`` names it, and :attr:`Appender.missing` says it for an entry.
* The log goes on only where it is: another folder in its place, an older copy or an empty one, is not written to until
  it holds the last entry, or the agent is started anew.
* No entry is ever rewritten or deleted, except the lines of a batch that failed, before anybody relies on them.
* The folder is trusted, and ``folder`` makes sure that it is ours alone.

What remains open:

BUG: after a failed fdatasync Linux may mark the pages clean. Lines that were acknowledged in "process", and share
pages with the failed ones, can be lost in a power cut without another word; ``verify`` names the gap.
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
from agent.log.unwritable import LogFullError, LogUnwritableError, again, lost, unwritable
from rules.text import Text
from rules.visible import visible

Durability = Literal["power", "process"]

_LINE = segments.MAX_RECORD + 1
_LOOK = 1.0  # seconds between two looks whether the names still lead here
_AGAIN = 0.1  # … between two attempts to go on


class MissingEntries(NamedTuple):
    """Entries that were in the log, and are not any more: the numbers of the first and the last, and why."""

    first: int
    last: int
    why: Text


class Appender:
    """The one writer of a log folder, for one thread. The batch that finds *segment_bytes* in a segment opens the next.

    Opening raises :exc:`RefusedError` for a folder that is missing or not ours alone and for a segment that is no plain
    file, :exc:`LogLockedError` when another process is appending, another :exc:`LogUnwritableError` when the file
    system refuses (read-only, full), and :exc:`FatalError` when the end of the log contradicts itself.
    """

    next_seq: int  # the number the next line must carry
    last_time: datetime | None  # of the last entry found at opening
    last_clocks: tuple[int, str] | None  # its boot time in microseconds, and which boot's: see ``recover.End``
    recovered: int  # bytes of a torn tail that were moved to a side file since somebody last set it to 0
    missing: MissingEntries | None  # what was found to be gone since somebody last set it to None

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
        self._lost: Text | None = None
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
        """Whether the next batch can be written without finding out first how the log is."""
        return self._file >= 0

    def append(self, lines: Sequence[bytes], *, act: bool = False) -> None:
        """Write *lines*, records without a newline, as one batch; return when they are as durable as promised.

        The first line must begin ``{"seq":<next_seq>,`` and the others count on from it. An *act* may use the room that
        accesses may not (:mod:`agent.log.reserve`).

        Raises :exc:`LogUnwritableError` (nothing was written; the next call may succeed), :exc:`FatalError` when it is
        closed, and ValueError for lines that would break the log (nothing was written).
        """
        data = b"\n".join(lines) + b"\n"
        count = len(lines)
        if count != 1 or not data.startswith(self._expected) or data.find(b"\n") != len(data) - 1 or len(data) > _LINE:
            self._inspect(lines)
        if self._file < 0:
            self.reopen()
            if not data.startswith(self._expected):
                raise lost(self._folder, Text("another process has appended to it", "另有进程追加了条目"))
        try:
            status = os.fstat(self._file)
        except OSError as error:
            self._let_go(b"", error)
        if status.st_size != self._size or not status.st_nlink or time.monotonic() >= self._look_at:
            self._check(status)
        if self._size >= self._segment_bytes:
            self._next_segment(act=act)
        self._make_room(len(data), act=act)
        try:
            written = os.write(self._file, data)
        except OSError as error:
            self._cut_back(data, error)
        if written != len(data):
            self._cut_back(data, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))  # a plain file has no other reason
        if self._power:
            try:
                os.fdatasync(self._file)
            except OSError as error:
                self._let_go(data, error)
        self._size += written
        self._last = lines[-1]
        self.next_seq += count
        self._expected = b'{"seq":%d,' % self.next_seq

    def has_room(self, length: int) -> bool:
        """Whether accesses of *length* bytes would find room. A log in trouble is to be opened again first."""
        try:
            return self._file < 0 or self._reserve.holds(self._file, self._size, length, act=False)
        except OSError:
            return True  # the next write says what is wrong

    def full(self) -> LogUnwritableError:
        """Return the error of a log that has no room."""
        return unwritable(self._folder, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    def reopen(self) -> None:
        """Go on after trouble: find out how the log is, and take back what nobody relies on. Otherwise do nothing.

        Where somebody else has appended meanwhile, ``next_seq`` is another one afterwards.

        Raises :exc:`LogUnwritableError`, at once and without looking if it was tried a moment ago, and
        :exc:`FatalError` when it is closed, or another process has taken the log over in a way that opening it anew
        has to find out.
        """
        if self._file >= 0:
            return
        if self._closed:
            raise FatalError(Text("this log is closed", "此日志已关闭"))
        if self._trouble and time.monotonic() < self._again_at:
            raise again(self._trouble)
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
        """Let go of the log, so that another process may append. Appending afterwards raises :exc:`FatalError`."""
        self._closed = True
        self._drop_file()
        self._place.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_end(self) -> None:
        found = segments.listing(self._folder)
        self.next_seq, self.last_time, self.last_clocks = 1, None, None
        end = recover.End(0, None, 0)
        if found:
            self._name = found[-1].path.name
            self._file = open_file(self._place.directory, self._name, os.O_RDWR | os.O_APPEND)
            end = recover.find_end(self._file, found[-1].first)
            self.next_seq, self._size, self._last = end.seq + 1, end.size, end.line
            self.recovered += recover.put_aside(self._place.directory, self._file, end.size, self.next_seq)
            os.fsync(self._file)  # what the next entry follows must not be less durable than that entry
            os.fsync(self._place.directory)
        else:
            self._create_segment()
        self._reserve.begin(self._file, self._size)
        for segment in reversed(found[:-1]):  # only an empty last segment makes this look further back
            if end.time:
                break
            with contextlib.ExitStack() as stack:
                descriptor = open_file(self._place.directory, segment.path.name, os.O_RDONLY)
                stack.callback(os.close, descriptor)
                end = recover.find_end(descriptor, segment.first)
        self.last_time, self.last_clocks = end.time, end.clocks
        self._expected = b'{"seq":%d,' % self.next_seq

    # Is it still what was written?

    def _check(self, status: os.stat_result) -> None:
        shown = visible(self._name)
        if not status.st_nlink:
            self._gone(Text(f"`{shown}` was deleted while it was written to", f"`{shown}` 在写入期间被删除"))
        if status.st_size != self._size:
            en = f"holds {status.st_size} bytes, {self._size} were written"
            self._gone(Text(f"`{shown}` {en}", f"`{shown}` 实际 {status.st_size} 字节，应为 {self._size}"))
        if not self._place.still_there():
            self._gone(Text("another folder lies in its place", "其位置上是另一个目录"))
        if not self._place.holds(self._name, self._file):
            self._gone(Text(f"`{shown}` was renamed or exchanged", f"`{shown}` 被改名或替换"))
        self._look_at = time.monotonic() + _LOOK

    def _gone(self, why: Text) -> NoReturn:
        self._lost = why
        self._drop_file()
        raise lost(self._folder, why)

    # Going on.

    def _go_on(self) -> None:
        """Stand behind the last entry again: in the segment if it holds that, in a new one if it does not."""
        self._file, kept = self._place.reopen(Tail(self._name, self._size, self._last))
        if self._file < 0:
            self._begin_anew()
        elif self._is_ours(self._file) or kept:
            self._take_back(self._file)
        else:
            self._drop_file()
            self._open_end()  # somebody else may have gone on meanwhile
        os.fsync(self._file)
        os.fsync(self._place.directory)
        self._reserve.begin(self._file, self._size)
        self._trouble = self._lost = None
        self._failed = b""
        self._look_at = 0.0

    def _is_ours(self, file: int) -> bool:
        """Whether nothing lies behind the last entry but what we wrote ourselves, and nobody relies on."""
        rest = os.pread(file, len(self._failed) + 1, self._size)
        return bool(rest) and self._failed.startswith(rest)

    def _take_back(self, file: int) -> None:
        """Cut off what lies behind the last entry. What is not ours is kept, in a side file."""
        if self._is_ours(file):
            os.ftruncate(file, self._size)
        else:
            self.recovered += recover.put_aside(self._place.directory, file, self._size, self.next_seq)

    def _begin_anew(self) -> None:
        """Go on in a new segment, and say which entries are missing before it."""
        first, why = int(self._name.split(".")[0]), self._lost or Text("it was exchanged", "被替换")
        left = first - 1
        with contextlib.suppress(FileNotFoundError, RefusedError, FatalError), contextlib.ExitStack() as stack:
            file = open_file(self._place.directory, self._name, os.O_RDONLY)
            stack.callback(os.close, file)
            left = min(recover.find_end(file, first).seq, self.next_seq - 2)
        if left + 1 < self.next_seq:
            first = min(left + 1, self.missing.first if self.missing else left + 1)
            self.missing = MissingEntries(first, self.next_seq - 1, why)
        try:
            self._create_segment()
        except FileExistsError:
            en, zh = "another process has gone on with it", "另有进程已继续写入"
            raise FatalError(lost(self._folder, Text(en, zh)).text) from None

    def _elsewhere(self) -> LogUnwritableError:
        last = self.next_seq - 1
        return lost(
            self._folder,
            Text(f"another folder lies there, without entry {last}", f"该处是另一个目录，不含第 {last} 条"),
            Text(
                "bring the log back, or start the agent anew to begin a log there",
                "请恢复原日志目录，或重启代理在此处新建日志",
            ),
        )

    def _next_segment(self, *, act: bool) -> None:
        try:
            self._create_segment(reserved=True)
        except OSError as error:
            refused = unwritable(self._folder, error)
            if not (act and isinstance(refused, LogFullError)):  # an act goes into what the old one has left
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
            os.fsync(self._place.directory)  # the name must be as durable as what will be written under it
        except OSError as error:
            self._let_go(b"", error)

    def _exchange_reserve(self, file: int, name: str) -> None:
        """Have the new segment own what is kept before the old one gives back its own. Raises ``OSError``."""
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

    def _cut_back(self, data: bytes, error: OSError) -> NoReturn:
        try:
            os.ftruncate(self._file, self._size)
            self._reserve.cut(self._size)
        except OSError:
            self._let_go(data, error)
        raise unwritable(self._folder, error) from error

    def _let_go(self, data: bytes, error: OSError) -> NoReturn:
        """Leave the file: how much of *data* is in it, whoever opens it next will see."""
        self._failed = data
        self._drop_file()
        raise unwritable(self._folder, error) from error

    def _put_off(self, error: LogUnwritableError) -> NoReturn:
        self._drop_file()
        self._place.close()  # what is open keeps the filesystem from being unmounted, checked and mounted again
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
