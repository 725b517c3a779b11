"""``pack.toml``: the file of the rule pack in force.

Rules of this file: a new text is durable beside the old one before it is recorded, and replaces it by a rename. The
registry stores the digest, so that a start knows whether that rename is pending, and detects unrecorded edits.
"""

import os
from contextlib import suppress
from pathlib import Path

from agent.errors import RefusedError
from agent.runtime import ours
from agent.runtime.home import Home
from rules.pack.reader import Pack, PackError, load
from rules.text import Message

SETTING = "pack"  # name of the registry setting that holds the digest of the pack in force


def checked(text: str) -> Pack:
    """Return the pack; raise :class:`RefusedError` with every problem and its line."""
    try:
        return load(text)
    except PackError as error:
        first = error.problems[0].hint if error.problems else None
        raise RefusedError(Message("site.pack-invalid", problems=error.text), first) from error


def write(home: Home, text: str) -> None:
    """Write the text of a pack durably beside the one in force."""
    _waiting(home).unlink(missing_ok=True)
    descriptor = os.open(_waiting(home), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fchmod(descriptor, 0o644)
        os.fsync(descriptor)


def install(home: Home) -> None:
    """Put the waiting pack in force."""
    _waiting(home).replace(home.pack)
    folder = os.open(home.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def settle(home: Home, digest: str) -> bool:
    """Finish a ``pack use`` interrupted between commit and rename; return whether the pack is the recorded one."""
    with suppress(OSError, ValueError, PackError):
        if load(ours.read(_waiting(home)).decode()).digest == digest:
            install(home)
    try:
        return load(ours.read(home.pack).decode()).digest == digest
    except (OSError, ValueError, PackError):
        return False


def _waiting(home: Home) -> Path:
    return home.pack.with_suffix(".toml.new")
