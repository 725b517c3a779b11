"""System calls the standard library of Python 3.11 does not offer, as thin as they can be: they raise ``OSError``."""

import ctypes
import os
import platform
import struct

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)

CLONE_FS, CLONE_FILES = 0x200, 0x400
CLONE_NEWNS = 0x20000
CLONE_NEWUSER = 0x10000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 1 << 14, 1 << 18
_PR_SET_NAME = 15
_AT_FDCWD, _AT_EMPTY_PATH, _AT_SYMLINK_FOLLOW = -100, 0x1000, 0x400
_HANDLE_BYTES = 128
_PIDFD_GETFD = 438  # the same number on every architecture, like everything added since 5.3
_EXIT = {"x86_64": 60, "aarch64": 93}.get(platform.machine(), -1)
_SETFSUID, _SETFSGID = {"x86_64": (122, 123), "aarch64": (151, 152)}.get(platform.machine(), (0, 0))


def unshare(flags: int) -> None:
    _checked(_libc.unshare(flags))


def mount(source: str, target: str, fstype: str = "", flags: int = 0, options: str = "") -> None:
    words = (source.encode(), target.encode(), fstype.encode() or None, flags, options.encode() or None)
    _checked(_libc.mount(*words))


def unmount(target: str) -> None:
    _checked(_libc.umount2(target.encode(), 2))  # MNT_DETACH: a test that failed must not leave it behind either


def private_mounts() -> None:
    """Move this process into a mount namespace of its own, from which nothing propagates back."""
    unshare(CLONE_NEWNS)
    mount("none", "/", flags=MS_REC | MS_PRIVATE)


def set_fs_ids(number: int) -> None:
    """Take *number* as file-system uid and gid, of this thread only: no libc wrapper that would tell the others."""
    assert _SETFSUID, "the numbers of these calls are not known for this machine"
    _libc.syscall(_SETFSGID, number)
    _libc.syscall(_SETFSUID, number)
    if _libc.syscall(_SETFSUID, -1) != number:
        raise PermissionError(1, "setfsuid")


def end_thread() -> None:
    """End this thread and no other, without a word to anybody: of a first thread an undead process is left."""
    _libc.syscall(_EXIT, 0)


def set_name(name: bytes) -> None:
    """Claim to be a program called *name* (at most 15 bytes)."""
    _checked(_libc.prctl(_PR_SET_NAME, name, 0, 0, 0))


def link_open_file(fd: int, target: str) -> None:
    """Give a name to the file behind *fd*, which may have none (O_TMPFILE)."""
    _checked(_libc.linkat(_AT_FDCWD, b"/proc/self/fd/%d" % fd, _AT_FDCWD, target.encode(), _AT_SYMLINK_FOLLOW))


def handle_of(path: str) -> bytes:
    """Return the file handle of *path*; no open is needed for it."""
    handle = ctypes.create_string_buffer(struct.pack("=Ii", _HANDLE_BYTES, 0), 8 + _HANDLE_BYTES)
    _checked(_libc.name_to_handle_at(_AT_FDCWD, path.encode(), handle, ctypes.byref(ctypes.c_int()), 0))
    return handle.raw


def open_handle(mount_point: int, handle: bytes, flags: int = os.O_RDONLY) -> int:
    return _checked(_libc.open_by_handle_at(mount_point, ctypes.create_string_buffer(handle, len(handle)), flags))


def pidfd_getfd(pid: int, number: int) -> int:
    """Return a duplicate of descriptor *number* of process *pid*."""
    process = os.pidfd_open(pid)
    try:
        return _checked(_libc.syscall(_PIDFD_GETFD, process, number, 0))
    finally:
        os.close(process)


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
