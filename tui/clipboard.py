"""Copying to the clipboard of the terminal, also over ssh (OSC 52, xterm control sequences).

Rules of this file: a terminal may cut a long sequence, tmux may drop it, and neither answers. The text is therefore
"sent", never "copied", and a long one also goes to a file whose name is shown. Files are readable by their owner only.
"""

import base64
import os
from pathlib import Path
from typing import BinaryIO

from rules.text import Message, Sentence

LONG = 4096  # bytes; some terminals take no more


def sequence(text: str) -> str:
    """Return the control sequence that asks the terminal to copy *text*."""
    return f"\x1b]52;c;{base64.b64encode(text.encode('utf-8', 'surrogateescape')).decode('ascii')}\a"


def folder(environ: "os._Environ[str] | dict[str, str]" = os.environ) -> Path:
    """Return the folder for files of the user: ``$XDG_DATA_HOME/shoumi``, else ``~/.local/share/shoumi``."""
    base = environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "share") / "shoumi"


def write(directory: Path, name: str, content: bytes) -> Path:
    """Write a new file named after *name* that only its owner may read, and return its path. Raises OSError."""
    stem, dot, suffix = name.rpartition(".")
    for number in range(1, 10_000):
        path = directory / (name if number == 1 else f"{stem}-{number}{dot}{suffix}")
        try:
            with new(path) as file:
                file.write(content)
        except FileExistsError:
            continue
        return path
    raise FileExistsError(directory / name)


def new(path: Path) -> BinaryIO:
    """Create and open a file that only its owner may read. Raises OSError, also when it exists."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")


def sent_message(path: Path | None, environ: "os._Environ[str] | dict[str, str]" = os.environ) -> Sentence:
    """Return the notification after sending, with the *path* of the file if there is one."""
    text: Sentence = Message("tui.sent-to-clipboard")
    if "TMUX" in environ or environ.get("TERM", "").startswith(("tmux", "screen")):  # sudo drops TMUX
        text = Message("tui.sent-through-tmux", text=text)
    if path:
        text = Message("tui.sent-and-written-to-file", text=text, path=path)
    return text
