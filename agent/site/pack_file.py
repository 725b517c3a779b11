"""``pack.toml``: the rule pack in force, as a file.

Rules of this file: a new text is durable beside the old one before it is recorded, and takes its place by a rename. The
registry remembers the digest, so that a start knows whether that rename is still due, and an edit that nobody recorded
is found.
"""

import os
from contextlib import suppress
from pathlib import Path

from agent.errors import RefusedError
from agent.runtime import ours
from agent.runtime.home import Home
from rules.pack.reader import Pack, PackError, load
from rules.text import Text

SETTING = "pack"  # name of the registry setting that holds the digest of the pack in force


def checked(text: str) -> Pack:
    """Return the pack; raise :class:`RefusedError` with every problem, by line."""
    try:
        return load(text)
    except PackError as error:
        en = "; ".join(f"line {problem.line}: {problem.text.en}" for problem in error.problems)
        zh = ";".join(f"第 {problem.line} 行：{problem.text.zh}" for problem in error.problems)
        first = error.problems[0].hint if error.problems else None
        raise RefusedError(Text(f"the pack cannot be used: {en}", f"规则包不可用：{zh}"), first) from error


def write(home: Home, text: str) -> None:
    """Put the text of a pack durably beside the one in force."""
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
    """Finish a ``pack use`` that was killed between commit and rename; return whether the pack is the recorded one."""
    with suppress(OSError, ValueError, PackError):
        if load(ours.read(_waiting(home)).decode()).digest == digest:
            install(home)
    try:
        return load(ours.read(home.pack).decode()).digest == digest
    except (OSError, ValueError, PackError):
        return False


def _waiting(home: Home) -> Path:
    return home.pack.with_suffix(".toml.new")
