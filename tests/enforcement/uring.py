"""io_uring(7), as thin as it can be: one request at a time. Raises ``OSError`` with what the kernel answered."""

import ctypes
import mmap
import os
import struct
from collections.abc import Sequence

READ, OPENAT = 22, 18
ASYNC = 1 << 4  # IOSQE_ASYNC: a worker thread does it, not the caller
FIXED_FILE = 1 << 0  # IOSQE_FIXED_FILE: the descriptor is a place in the ring's own table
SQPOLL = 1 << 1  # IORING_SETUP_SQPOLL: a kernel thread takes requests
_SETUP, _ENTER, _REGISTER = 425, 426, 427
_GETEVENTS, _WAKEUP = 1, 2
_REGISTER_FILES = 2
_REGISTER_PERSONALITY = 9
_SQES = 0x10000000
_NO_MMAP, _REGISTERED_FD_ONLY = 1 << 14, 1 << 15  # IORING_SETUP_*, Linux 6.5
_ENTER_REGISTERED, _REGISTER_REGISTERED = 1 << 4, 1 << 31
_AT_FDCWD = -100

_libc = ctypes.CDLL(None, use_errno=True)


class Ring:
    """One ring of two entries (IORING_FEAT_SINGLE_MMAP, 5.4 and later)."""

    def __init__(self, flags: int = 0, *, hidden: bool = False) -> None:
        """*hidden*: nothing in /proc shows it: its memory is ours, and it is a place in a table of the thread's own."""
        params = bytearray(120)
        struct.pack_into("=III", params, 0, 0, 0, flags | (_NO_MMAP | _REGISTERED_FD_ONLY if hidden else 0))
        self._hidden = hidden
        if hidden:
            self._rings, self._sqes = (mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_SHARED) for _ in range(2))
            for at, memory in ((72, self._sqes), (112, self._rings)):  # sq_off and cq_off end with an address
                memory[0] = 0  # so that the page is there
                struct.pack_into("=Q", params, at, ctypes.addressof(ctypes.c_char.from_buffer(memory)))
        self.fd = _checked(_libc.syscall(_SETUP, 2, (ctypes.c_char * 120).from_buffer(params)))
        # Where in the memory that is shared with the kernel each of these lies, in bytes from its beginning:
        self._sq = struct.unpack_from("=10I", params, 40)  # head, tail, mask, entries, flags, dropped, array
        self._cq = struct.unpack_from("=10I", params, 80)  # head, tail, mask, entries, overflow, cqes
        entries, completions = struct.unpack_from("=II", params, 0)
        if not hidden:
            size = max(self._sq[6] + 4 * entries, self._cq[5] + 16 * completions)
            self._rings = mmap.mmap(self.fd, size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
            self._sqes = mmap.mmap(self.fd, 64 * entries, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE, offset=_SQES)

    def register(self, files: Sequence[int]) -> None:
        """Put *files* into the ring's own table, where they stay open when their descriptors are closed."""
        table = (ctypes.c_int * len(files))(*files)
        what = _REGISTER_FILES | (_REGISTER_REGISTERED if self._hidden else 0)
        _checked(_libc.syscall(_REGISTER, self.fd, ctypes.c_uint(what), table, len(files)))

    def personality(self) -> int:
        """Register the credentials that this thread has now, and return their number."""
        return _checked(_libc.syscall(_REGISTER, self.fd, _REGISTER_PERSONALITY, None, 0))

    def open(self, path: str | os.PathLike[str], flags: int = 0, personality: int = 0) -> int:
        """Open *path* to read, with credentials that were registered, and return the descriptor."""
        name = ctypes.create_string_buffer(os.fsencode(path))
        return self._do(OPENAT, _AT_FDCWD, ctypes.addressof(name), 0, flags, personality)

    def read(self, fd: int, size: int, flags: int = 0) -> bytes:
        """Read from the beginning of *fd*."""
        buffer = ctypes.create_string_buffer(size)
        count = self.read_into(buffer, fd, flags)
        return buffer.raw[:count]

    def read_into(self, buffer: ctypes.Array[ctypes.c_char], fd: int, flags: int = 0) -> int:
        """Read from the beginning of *fd* as much as *buffer* takes; return how much that was."""
        return self._do(READ, fd, ctypes.addressof(buffer), len(buffer), flags)

    def _do(self, what: int, fd: int, address: int, length: int, flags: int, personality: int = 0) -> int:
        (tail,) = struct.unpack_from("=I", self._rings, self._sq[1])
        (mask,) = struct.unpack_from("=I", self._rings, self._sq[2])
        sqe = struct.pack("=BBHiQQI14xH20x", what, flags, 0, fd, 0, address, length, personality)
        self._sqes[64 * (tail & mask) : 64 * (tail & mask) + 64] = sqe
        struct.pack_into("=I", self._rings, self._sq[6] + 4 * (tail & mask), tail & mask)
        struct.pack_into("=I", self._rings, self._sq[1], tail + 1)
        how = _GETEVENTS | _WAKEUP | (_ENTER_REGISTERED if self._hidden else 0)
        _checked(_libc.syscall(_ENTER, self.fd, 1, 1, how, None, 0))
        (head,) = struct.unpack_from("=I", self._rings, self._cq[0])
        (mask,) = struct.unpack_from("=I", self._rings, self._cq[2])
        _, result = struct.unpack_from("=Qi", self._rings, self._cq[5] + 16 * (head & mask))
        struct.pack_into("=I", self._rings, self._cq[0], head + 1)
        return _result(result)


def _checked(result: int) -> int:
    return result if result >= 0 else _result(-ctypes.get_errno())


def _result(result: int) -> int:
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result
