"""Validation of paths for the registry.

Rules of this file: absolute, normal, without NUL, within the kernel's limit. The guard finds out whether the path
exists and what it holds; it must be the path that the kernel reports, so the caller resolves links.
"""

import posixpath

from agent.errors import RefusedError
from agent.registry.columns import path_bytes
from rules.text import Message
from rules.visible import visible

_PATH_MAX = 4096  # limits.h, with the NUL


def absolute(path: str) -> str:
    """Return *path* if it can be registered; raise :class:`agent.errors.RefusedError` otherwise."""
    normal = path.startswith("/") and not path.startswith("//") and posixpath.normpath(path) == path
    if normal and "\0" not in path and _encodable(path) and len(path_bytes(path)) < _PATH_MAX:
        return path
    shown_path = visible(path if len(path) <= 200 else path[:200] + "…")
    raise RefusedError(
        Message("registry.invalid-path", path=shown_path),
        Message("registry.give-absolute-path", path_max=_PATH_MAX),
    )


def _encodable(path: str) -> bool:
    try:
        path_bytes(path)
    except UnicodeEncodeError:  # a surrogate that represents no byte
        return False
    return True
