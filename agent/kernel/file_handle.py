"""File handles: names of inodes that keep nothing open, and the way back while the inode exists.

Rules of this file: opening by handle needs CAP_DAC_READ_SEARCH and any descriptor of the same filesystem; it uses
O_PATH, which raises no event. A deleted inode answers ESTALE, also when its number was reused.
Source: name_to_handle_at(2).
"""

import ctypes
import os
import struct

_MOST = 128  # MAX_HANDLE_SZ
_AT_EMPTY_PATH = 0x1000
_HEAD = struct.Struct("=Ii")  # handle_bytes, handle_type
_SIZE = _HEAD.size + _MOST

_libc = ctypes.CDLL(None, use_errno=True)


def handle_of(fd: int) -> bytes:
    """Return the handle of what is open as *fd*. Raises ``OSError`` (EOPNOTSUPP: the filesystem has none)."""
    handle = ctypes.create_string_buffer(_HEAD.pack(_MOST, 0), _SIZE)
    mount = ctypes.c_int()
    if _libc.name_to_handle_at(fd, b"", handle, ctypes.byref(mount), _AT_EMPTY_PATH):
        raise _os_error("name_to_handle_at")
    length, _ = _HEAD.unpack_from(handle)
    return handle.raw[: _HEAD.size + length]


def open_handle(volume_fd: int, handle: bytes) -> int:
    """Return an O_PATH descriptor of *handle*; *volume_fd* is open on the same filesystem. Raises ``OSError``."""
    fd = int(_libc.open_by_handle_at(volume_fd, handle, os.O_PATH | os.O_CLOEXEC))
    if fd < 0:
        raise _os_error("open_by_handle_at")
    return fd


def _os_error(call: str) -> OSError:
    code = ctypes.get_errno()
    return OSError(code, f"{call}: {os.strerror(code)}")
