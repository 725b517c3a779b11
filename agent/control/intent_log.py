"""What is about to be done, written down beside the registry before the log hears of it.

An act is appended to the log before its change is committed (contract C2). A process killed in between leaves an entry
for something that never happened; the intent is how the next start finds out, without searching the log.

Rules of this file: one small file, overwritten in place and synced before the entry is appended; one that is torn was
never followed by an append. An intent whose epoch
the registry has reached was completed; one with a later epoch was not.
"""

import json
import os
from pathlib import Path
from typing import Any


class WriteAheadIntent:
    """The intent file at *path*, held open. Used by one thread."""

    def __init__(self, path: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(path, flags, 0o600)

    def note(self, fields: dict[str, Any]) -> None:
        """Write down what comes next; it survives a power cut when this returns. Raises ``OSError``."""
        data = json.dumps(fields).encode("ascii")
        os.pwrite(self._fd, data, 0)
        os.ftruncate(self._fd, len(data))
        os.fdatasync(self._fd)

    def clear(self) -> None:
        """Say that nothing is under way."""
        os.ftruncate(self._fd, 0)

    def open_since(self, epoch: int) -> dict[str, Any] | None:
        """Return the intent whose change the registry, at *epoch*, does not hold; ``None`` in good order."""
        try:
            fields = json.loads(os.pread(self._fd, 1 << 20, 0))
        except ValueError:  # empty or torn
            return None
        return fields if isinstance(fields, dict) and fields.get("epoch", 0) > epoch else None

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)
