"""fanotify(7) through ctypes: two calls, one event layout, one answer.

Rules of this file: no policy, no state. Everything received from the kernel is checked before use; an unknown event
layout stops the reading process (``FatalError``), because an answer to the wrong event would be a wrong open. No flag
younger than Linux 5.10 is assumed: it is tried, and left out where unknown; :mod:`agent.kernel.mark_flags` lists what a
kernel supports. Ignore marks use FAN_MARK_IGNORED_MASK, never FAN_MARK_IGNORE of 6.0: on inodes and on mounts, for
files and for directories, both behaved the same on 5.10, 6.1, 6.12 and 6.18.
Sources: fanotify_init(2), fanotify_mark(2), fanotify(7), linux/fanotify.h of 6.14 and later.
"""

import contextlib
import ctypes
import errno
import os
import struct
from typing import NamedTuple

from agent.errors import FatalError
from rules.text import Message

# fanotify_init(2)
FAN_CLOEXEC = 0x1
FAN_NONBLOCK = 0x2
FAN_CLASS_PRE_CONTENT = 0x8
FAN_UNLIMITED_QUEUE = 0x10
FAN_UNLIMITED_MARKS = 0x20
FAN_REPORT_TID = 0x100
FAN_REPORT_FD_ERROR = 0x2000  # 6.13 and stable 6.12

# fanotify_mark(2)
FAN_MARK_ADD = 0x1
FAN_MARK_REMOVE = 0x2
FAN_MARK_DONT_FOLLOW = 0x4
FAN_MARK_ONLYDIR = 0x8
FAN_MARK_MOUNT = 0x10
FAN_MARK_IGNORED_MASK = 0x20
FAN_MARK_IGNORED_SURV_MODIFY = 0x40
FAN_MARK_FLUSH = 0x80
FAN_MARK_FILESYSTEM = 0x100
FAN_MARK_EVICTABLE = 0x200  # 5.19

# event masks
FAN_Q_OVERFLOW = 0x4000
FAN_OPEN_PERM = 0x10000
FAN_ACCESS_PERM = 0x20000  # before a read; also sendfile, splice, copy_file_range, readdir
FAN_PRE_ACCESS = 0x100000  # 6.14: before a read, a write, a new mapping, a truncation
FAN_ONDIR = 0x40000000
FAN_EVENT_ON_CHILD = 0x08000000

FAN_ALLOW = 0x1
FAN_DENY = 0x2

# RLIMIT_NOFILE of the decider: more than its batch and its remembered tasks need, and the bound of the sweep that
# answers, by number, what a dead decider left unanswered.
DESCRIPTORS = 2048

AT_FDCWD = -100
VERSION = 3

GROUP_FLAGS = (
    FAN_CLASS_PRE_CONTENT  # before content scanners, which then see only allowed files
    | FAN_UNLIMITED_QUEUE  # a full queue would answer ALLOW by itself (fanotify_handle_event)
    | FAN_UNLIMITED_MARKS
    | FAN_REPORT_TID  # identity is per thread (contract C4)
    | FAN_CLOEXEC
    | FAN_NONBLOCK
)
# Used where supported: an event whose descriptor cannot be made is still received, with its thread.
# Without it ``read`` returns the error in place of the event, which the kernel has denied by itself.
OPTIONAL_FLAGS = FAN_REPORT_FD_ERROR
EVENT_FLAGS = os.O_RDONLY | os.O_LARGEFILE | os.O_CLOEXEC | os.O_NOATIME

_METADATA = struct.Struct("=IBBHQii")  # event_len, vers, reserved, metadata_len, mask, fd, pid
_RESPONSE = struct.Struct("=iI")
METADATA_LENGTH = _METADATA.size

ALLOWED = tuple(_RESPONSE.pack(fd, FAN_ALLOW) for fd in range(DESCRIPTORS))  # answers by number, packed once

# Errors of read(2) about the descriptor and the buffer, not about an event.
_OURS = (errno.EBADF, errno.EFAULT, errno.EINVAL, errno.EISDIR)

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fanotify_init.argtypes = [ctypes.c_uint, ctypes.c_uint]
_libc.fanotify_mark.argtypes = [ctypes.c_int, ctypes.c_uint, ctypes.c_uint64, ctypes.c_int, ctypes.c_char_p]


# One event: its descriptor, ``-errno`` when the kernel could not open the object for us, and the thread that waits, 0
# when that is out of sight. A plain tuple, because one is made for every open of every protected file.
Event = tuple[int, int]


class FanotifyGroups(NamedTuple):
    """The descriptors of the holder's two groups; ``access`` is -1 where open descriptors raise no events."""

    open: int
    access: int


def init(flags: int = GROUP_FLAGS, optional: int = OPTIONAL_FLAGS) -> int:
    """Create a group and return its descriptor; *optional* flags are left out where the kernel does not know them.

    Raises ``OSError`` (EPERM without CAP_SYS_ADMIN, EMFILE at 128).
    """
    fd = int(_libc.fanotify_init(flags | optional, EVENT_FLAGS))
    if fd < 0 and optional and ctypes.get_errno() == errno.EINVAL:
        fd = int(_libc.fanotify_init(flags, EVENT_FLAGS))
    if fd < 0:
        raise _os_error("fanotify_init")
    return fd


def mark(group: int, flags: int, mask: int, target: int | str | os.PathLike[str]) -> None:
    """Add, remove or flush a mark on *target*: a path, or a descriptor of the object itself. Raises ``OSError``."""
    if isinstance(target, int):
        status = _libc.fanotify_mark(group, flags, mask, target, None)
    else:
        status = _libc.fanotify_mark(group, flags, mask, AT_FDCWD, os.fsencode(target))
    if status < 0:
        raise _os_error("fanotify_mark")


def flush_ignored(group: int) -> None:
    """Remove every inode mark of *group*: the ignore marks, so that open descriptors are asked about again."""
    mark(group, FAN_MARK_FLUSH, 0, "/")


def events(buffer: bytes) -> list[Event]:
    """Return the events in *buffer*, which one ``read`` of a group returned. Information records are skipped.

    Raises :class:`FatalError` for an unknown layout: then none of them may be answered.
    """
    parsed: list[Event] = []
    offset, end = 0, len(buffer)
    while offset < end:
        if end - offset < METADATA_LENGTH:
            raise _unknown_layout()
        length, version, _, metadata, _, fd, tid = _METADATA.unpack_from(buffer, offset)
        if version != VERSION or metadata != METADATA_LENGTH or length < metadata or offset + length > end:
            raise _unknown_layout()
        parsed.append((fd, tid))
        offset += length
    return parsed


class UnreadableEventError(OSError):
    """The kernel could not open the object of an event, and has denied it. The thread is not reported."""


def read(group: int, size: int) -> bytes:
    """Return the events that wait in *group*, at most *size* bytes.

    Raises ``BlockingIOError`` when there are none, :class:`UnreadableEventError` for one event that is denied already
    (kernels without FAN_REPORT_FD_ERROR), other ``OSError`` when the group itself cannot be read.
    """
    try:
        return os.read(group, size)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno in _OURS:
            raise
        raise UnreadableEventError(error.errno, error.strerror) from error


def reads(buffer: bytes) -> frozenset[int]:
    """Return the descriptors of the events in *buffer* about reading, of names in the case of directories.

    The buffer was accepted by :func:`events`.
    """
    descriptors, offset = set(), 0
    while offset < len(buffer):
        length, _, _, _, mask, fd, _ = _METADATA.unpack_from(buffer, offset)
        if mask & FAN_ACCESS_PERM:
            descriptors.add(fd)
        offset += length
    return frozenset(descriptors)


def asks_about_names(group: int, device: int, inode: int) -> bool:
    """Return whether *group* has a mark that asks before names of this directory are read: proc_pid_fdinfo(5)."""
    number = os.major(device) << 20 | os.minor(device)  # the kernel's own dev_t
    begin = f"fanotify ino:{inode:x} sdev:{number:x} "
    with open(f"/proc/self/fdinfo/{group}", encoding="ascii") as lines:
        return any(
            line.startswith(begin) and int(line.split(" mask:")[1].split()[0], 16) & FAN_ACCESS_PERM for line in lines
        )


def respond(group: int, fd: int, response: int) -> None:
    """Answer the event whose descriptor is numbered *fd*. Raises ``OSError`` (ENOENT: no such event waits)."""
    os.write(group, _RESPONSE.pack(fd, response))


def sweep(group: int, limit: int, response: int = FAN_DENY) -> int:
    """Answer every event a dead reader left unanswered under a number below *limit*; return how many there were.

    The kernel matches answers by descriptor number alone, so any holder of the group can answer for an ended reader.
    Only when no other reader lives: its open events would be denied too.
    """
    answered = 0
    for number in range(limit):
        try:
            os.write(group, _RESPONSE.pack(number, response))
        except OSError:
            continue
        answered += 1
    return answered


def deny_waiting(group: int) -> int:
    """Deny all events that wait in *group*: see :func:`answer_waiting`."""
    return answer_waiting(group, FAN_DENY)


def answer_waiting(group: int, response: int) -> int:
    """Read all events that wait in *group* and answer them; return their number. For the only reader."""
    answered = 0
    while True:
        try:
            buffer = read(group, 4096)
        except BlockingIOError:
            return answered
        except UnreadableEventError:
            answered += 1
            continue
        for fd, _ in events(buffer):
            if fd >= 0:
                with contextlib.suppress(FileNotFoundError):  # the opener was killed meanwhile
                    respond(group, fd, response)
                os.close(fd)
                answered += 1


def _os_error(call: str) -> OSError:
    code = ctypes.get_errno()
    return OSError(code, f"{call}: {os.strerror(code)}")


def _unknown_layout() -> FatalError:
    return FatalError(Message("kernel.fanotify-event-layout-unknown"))
