"""Cache of the pack in force, parsed once per state of its file. The guard, the doors and the handlers share it.

Rules of this file: standard library only, as the guard needs it. The file is identified by device, inode, size and the
times of its last changes, also that of its mode. A new pack is a new file that takes the old one's name (``pack use``),
so a parsed one is never mistaken for another. A file that others could have written is not read.
"""

import os
from pathlib import Path

from agent.errors import RefusedError
from agent.runtime import ours
from rules.pack.reader import Pack, PackError, load
from rules.text import Message

_Identity = tuple[int, ...]


class PackCache:
    """The pack in *path*. For any thread: simultaneous readers parse twice, which is harmless."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parsed: tuple[_Identity, Pack] | None = None

    def read(self) -> Pack:
        """Return the pack; raise :class:`RefusedError` when it cannot be read or is damaged."""
        try:
            return self.parsed()
        except ours.OthersCanWriteError as error:
            raise error.refused() from error
        except (OSError, UnicodeDecodeError, PackError) as error:
            reason = error.text if isinstance(error, PackError) else str(error)
            raise RefusedError(
                Message("runtime.pack-unreadable", reason=reason),
                Message("runtime.run-pack-check"),
            ) from error

    def parsed(self) -> Pack:
        """Return the pack; raise ``OSError``, ``UnicodeDecodeError`` or :class:`PackError` unchanged."""
        identity = _identity(os.stat(self._path))  # noqa: PTH116 - read at every change of rights and every badge
        if self._parsed is None or self._parsed[0] != identity:
            self._parsed = self._parse()
        return self._parsed[1]

    def _parse(self) -> tuple[_Identity, Pack]:
        with self._path.open(encoding="utf-8") as file:
            ours.check(file.fileno(), self._path)
            return _identity(os.fstat(file.fileno())), load(file.read())


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size
