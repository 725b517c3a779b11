"""What is about to be done, written down beside the registry before the log hears of it.

An act is appended to the log before its change is committed (contract C2). A process killed in between leaves an entry
for something that never happened; the intent is how the next start finds out, without searching the log.

Rules of this file: one small file, overwritten in place and synced before the entry is appended; one that is torn was
never followed by an append. It is written over with zeros, durably, once the change is committed and before anybody is
told: so an intent that stands is of an act that nobody was told of, and a copy of the registry from before an act is
never taken for an act that was cut short. Its blocks stay its own, so a full disk stops no act here.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.runtime import room

_MOST = 1 << 20
_USUAL = 1 << 16  # bytes it keeps, full or empty: on a full disk as well


class WriteAheadIntent:
    """The intent file at *path*, held open. Used by one thread."""

    def __init__(self, path: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(path, flags, 0o600)
        with suppress(OSError):  # what there is no room for now may find some later
            room.keep(self._fd, 0, _USUAL)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)  # the name must be as durable as what will be written under it
        finally:
            os.close(folder)

    def note(self, fields: dict[str, Any]) -> None:
        """Write down what comes next; it survives a power cut when this returns. Raises ``OSError``.

        *fields* are those of the entry, and ``after``: a number of the log behind which that entry will stand.
        """
        data = json.dumps(fields).encode("ascii")
        os.pwrite(self._fd, data.ljust(os.fstat(self._fd).st_size, b"\0"), 0)
        os.fdatasync(self._fd)

    def clear(self) -> None:
        """Say that nothing is under way; that survives a power cut when this returns. Raises ``OSError``."""
        size = os.fstat(self._fd).st_size
        os.pwrite(self._fd, bytes(size), 0)
        if size > _USUAL:
            os.ftruncate(self._fd, _USUAL)
        os.fdatasync(self._fd)

    def open_since(self, epoch: int) -> dict[str, Any] | None:
        """Return the intent whose change the registry, at *epoch*, does not hold; ``None`` in good order."""
        fields = _parsed(os.pread(self._fd, _MOST, 0))
        return fields if fields and fields.get("epoch", 0) > epoch else None

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)


def noted(path: Path) -> dict[str, Any] | None:
    """Return what stands in the intent file at *path*; ``None`` when nothing does, or it is torn. Raises ``OSError``.

    For whoever only looks: nothing is made.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    try:
        return _parsed(os.pread(descriptor, _MOST, 0))
    finally:
        os.close(descriptor)


def _parsed(data: bytes) -> dict[str, Any] | None:
    try:
        fields = json.loads(data.rstrip(b"\0"))
    except (ValueError, RecursionError):  # empty, torn, or none of ours
        return None
    return fields if isinstance(fields, dict) else None
