"""The write-ahead intent: a file beside the registry that names an act before its log entry is appended.

An act is appended to the log before its change is committed (contract C2). A process killed in between leaves an entry
of an act that never happened; the intent tells the next start so, without searching the log.

Rules of this file: one small file, overwritten in place and synced before the entry is appended; a torn intent was
never followed by an append. It is overwritten with zeros, durably, after the commit and before the caller gets the
reply: so a remaining intent belongs to an act whose success was never reported, and an older copy of the registry is
never mistaken for an interrupted act. The file keeps its disk blocks, so a full disk stops no act here.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.runtime import room

_MOST = 1 << 20
_USUAL = 1 << 16  # bytes that the file keeps allocated, full or empty: on a full disk as well


class WriteAheadIntent:
    """The intent file at *path*, held open. Used by one thread."""

    def __init__(self, path: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(path, flags, 0o600)
        with suppress(OSError):  # there may be room later
            room.keep(self._fd, 0, _USUAL)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)  # the name must be as durable as the content
        finally:
            os.close(folder)

    def note(self, fields: dict[str, Any]) -> None:
        """Write the intent durably: it survives a power cut when this returns. Raises ``OSError``.

        *fields* are those of the entry, and ``after``: a log number after which that entry will be found.
        """
        content = json.dumps(fields).encode("ascii")
        os.pwrite(self._fd, content.ljust(os.fstat(self._fd).st_size, b"\0"), 0)
        os.fdatasync(self._fd)

    def clear(self) -> None:
        """Clear the intent durably: this survives a power cut when it returns. Raises ``OSError``."""
        size = os.fstat(self._fd).st_size
        os.pwrite(self._fd, bytes(size), 0)
        if size > _USUAL:
            os.ftruncate(self._fd, _USUAL)
        os.fdatasync(self._fd)

    def open_since(self, epoch: int) -> dict[str, Any] | None:
        """Return the intent whose change the registry, at *epoch*, lacks; ``None`` normally."""
        fields = _parsed(os.pread(self._fd, _MOST, 0))
        return fields if fields and fields.get("epoch", 0) > epoch else None

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def noted(path: Path) -> dict[str, Any] | None:
    """Return the intent in the file at *path*; ``None`` when it is empty, missing or torn. Raises ``OSError``.

    For readers: no file is created.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    try:
        return _parsed(os.pread(descriptor, _MOST, 0))
    finally:
        os.close(descriptor)


def _parsed(content: bytes) -> dict[str, Any] | None:
    try:
        fields = json.loads(content.rstrip(b"\0"))
    except (ValueError, RecursionError):  # empty, torn, or not an intent
        return None
    return fields if isinstance(fields, dict) else None
