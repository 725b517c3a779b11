"""The pack in force, parsed once for as long as its file is the same.

Rules of this file: the file is known by device, inode, size and the instant of its last change. A new pack is a new
file that takes the old one's name (``pack use``), so one that was parsed is never another one's.
"""

import os
from pathlib import Path

from agent.errors import RefusedError
from rules.pack.reader import Pack, PackError, load
from rules.text import Text

_Identity = tuple[int, int, int, int]


class PackCache:
    """The pack in *path*. For any thread: two that read at once parse twice, which does no harm."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[_Identity, Pack] | None = None

    def read(self) -> Pack:
        """Return the pack; raise :class:`RefusedError` when the file is damaged."""
        try:
            with self._path.open(encoding="utf-8") as file:
                found = os.fstat(file.fileno())
                identity = (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
                known = self._read
                if known is None or known[0] != identity:
                    known = self._read = identity, load(file.read())
        except (OSError, UnicodeDecodeError, PackError) as error:
            raise RefusedError(
                Text(f"the pack in force cannot be read: {error}", f"无法读取生效的规则包：{error}"),
                Text("see `shoumi pack check`", "参见 `shoumi pack check`"),
            ) from error
        return known[1]
