"""Detached mounts: they keep a filesystem, and the marks on it, alive while it is mounted nowhere.

Rules of this file: open_tree(2) and nothing else. Closing the descriptor releases the mount, and with the last one the
filesystem and its marks.
Source: open_tree(2) (Linux 5.2), fsnotify_sb_delete in the kernel's fs/notify/fsnotify.c.
"""

import ctypes
import os

_SYS_OPEN_TREE = 428
_OPEN_TREE_CLONE = 1
_AT_FDCWD = -100

_libc = ctypes.CDLL(None, use_errno=True)


def clone(path: str) -> int:
    """Return a descriptor of a detached copy of the mount of *path*, from *path* downwards. Raises ``OSError``."""
    tree = int(_libc.syscall(_SYS_OPEN_TREE, _AT_FDCWD, os.fsencode(path), _OPEN_TREE_CLONE | os.O_CLOEXEC))
    if tree < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"open_tree: {os.strerror(code)}", path)
    return tree
