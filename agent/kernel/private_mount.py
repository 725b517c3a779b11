"""Private mounts: the agent's own access to a protected volume through a detached mount that raises no events.

Rules of this file: the sweep that labels inodes must read directories of volumes whose opens wait for the decider; if
it waited too, the agent could block itself. So it uses its own mount, cloned for the purpose, known to no other
process, and exempt by a mount ignore mark. No process and no identity is exempt, and the exemption ends with the
descriptor.
Sources: open_tree(2), FAN_MARK_IGNORED_MASK in fanotify_mark(2).
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

from agent.kernel import fanotify, mark_flags

_SYS_OPEN_TREE = 428
_OPEN_TREE_CLONE = 1
_AT_FDCWD = -100
_IGNORE = fanotify.FAN_MARK_ADD | fanotify.FAN_MARK_MOUNT

_ASKED = fanotify.FAN_OPEN_PERM | fanotify.FAN_ACCESS_PERM | fanotify.FAN_ONDIR  # opens, and names of a volume's root

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def doorway(open_group: int, access_group: int, path: str) -> Iterator[str]:
    """Yield a path to *path* that raises no event; valid inside the block and in this process only.

    Raises ``OSError`` when the kernel refuses; the caller then works before marks are placed, or not at all.
    """
    tree = int(_libc.syscall(_SYS_OPEN_TREE, _AT_FDCWD, os.fsencode(path), _OPEN_TREE_CLONE | os.O_CLOEXEC))
    if tree < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"open_tree: {os.strerror(code)}", path)
    try:
        inside = f"/proc/self/fd/{tree}/."
        fanotify.mark(open_group, _IGNORE | mark_flags.IGNORED, _ASKED, inside)
        if access_group >= 0 and (masks := mark_flags.known().access):
            mark_flags.ignore_access(access_group, _IGNORE, masks, inside)
        yield inside
    finally:
        os.close(tree)  # the last reference: the mount and its marks go with it


def shut(open_group: int, inside: str) -> None:
    """End the exemption for opens of the doorway *inside* early: files opened through it cannot be opened again."""
    flags = fanotify.FAN_MARK_REMOVE | fanotify.FAN_MARK_MOUNT | mark_flags.IGNORED
    fanotify.mark(open_group, flags, _ASKED, inside)
