"""Copying to the clipboard of the terminal, however far away that is (OSC 52, xterm control sequences).

Rules of this file: a terminal may cut a long sequence, tmux may swallow it, and none of them answers. So it is "sent",
never "copied", and what is long also goes to a file, whose name is said. Files are for their owner alone.
"""

import base64
import os
from pathlib import Path
from typing import BinaryIO

from rules.text import Text
from rules.visible import visible

LONG = 4096  # bytes; some terminals take no more


def sequence(text: str) -> str:
    """Return the control sequence that asks the terminal to copy *text*."""
    return f"\x1b]52;c;{base64.b64encode(text.encode('utf-8', 'surrogateescape')).decode('ascii')}\a"


def folder(environ: "os._Environ[str] | dict[str, str]" = os.environ) -> Path:
    """Return where files for the user go: ``$XDG_DATA_HOME/shoumi``, else ``~/.local/share/shoumi``."""
    base = environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "share") / "shoumi"


def write(where: Path, name: str, data: bytes) -> Path:
    """Write a new file called like *name* that only its owner may read, and return it. Raises OSError."""
    stem, dot, suffix = name.rpartition(".")
    for number in range(1, 10_000):
        path = where / (name if number == 1 else f"{stem}-{number}{dot}{suffix}")
        try:
            with new(path) as file:
                file.write(data)
        except FileExistsError:
            continue
        return path
    raise FileExistsError(where / name)


def new(path: Path) -> BinaryIO:
    """Open a file that was not there, that only its owner may read. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")


def said(path: Path | None, environ: "os._Environ[str] | dict[str, str]" = os.environ) -> Text:
    """Return what the user is told."""
    en, zh = "sent to the terminal's clipboard", "已发送到终端剪贴板"
    if "TMUX" in environ or environ.get("TERM", "").startswith(("tmux", "screen")):  # sudo forgets the first
        en, zh = f"{en} (tmux: needs `set -g set-clipboard on`)", f"{zh}（tmux 需 `set -g set-clipboard on`）"
    if path:
        name = visible(str(path))
        en, zh = f"{en}; it is long, so also in `{name}`", f"{zh}；内容较长，另存于 `{name}`"
    return Text(en, zh)
