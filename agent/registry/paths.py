"""Paths as the registry takes them.

Rules of this file: absolute, normal, without NUL, within the kernel's limit. Whether the path exists and what lies
there is the guard's to find out; it must be the path the kernel reports, so links are resolved by the caller.
"""

import posixpath

from agent.errors import RefusedError
from agent.registry.columns import path_bytes
from rules.text import Text
from rules.visible import visible

_PATH_MAX = 4096  # limits.h, with the NUL


def absolute(path: str) -> str:
    """Return *path* when it can be registered; raise :class:`agent.errors.RefusedError` otherwise."""
    normal = path.startswith("/") and not path.startswith("//") and posixpath.normpath(path) == path
    if normal and "\0" not in path and _encodable(path) and len(path_bytes(path)) < _PATH_MAX:
        return path
    shown = visible(path if len(path) <= 200 else path[:200] + "…")
    raise RefusedError(
        Text(f"`{shown}` is not a path that can be registered", f"`{shown}` 不是可登记的路径"),
        Text(
            f"give an absolute path without `.`, `..` or a trailing slash, shorter than {_PATH_MAX} bytes",
            f"请给出绝对路径，不含 `.`、`..` 或结尾斜杠，短于 {_PATH_MAX} 字节",
        ),
    )


def _encodable(path: str) -> bool:
    try:
        path_bytes(path)
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return False
    return True
