"""What a site or a user sets about the terminal: keys, colours, the mouse and the lock, in ``terminal.toml``.

    theme = "ansi-dark"
    mouse = false
    lock_minutes = 15
    [keys]
    "log.filter" = "f"

Rules of this file: the site's file (``HOME/terminal.toml``) comes first, the user's own
(``$XDG_CONFIG_HOME/shoumi/terminal.toml``) after it. Nothing in them can keep the terminal from starting: what is wrong
is said, and the rest counts. A file nobody may read is no file.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.runtime.home import Home
from rules.text import Text
from rules.visible import visible
from tui.keys import ACTIONS

THEMES = ("textual-dark", "textual-light", "ansi-dark", "ansi-light")
_LIST_KEYS = frozenset(f"list.{name}" for name in ("up", "down", "page-up", "page-down", "first", "last"))


@dataclass(frozen=True, slots=True)
class Settings:
    """Keys by action id, a theme, whether the mouse is ours, and what was wrong with the files."""

    keys: Mapping[str, str] = field(default_factory=dict)
    theme: str = THEMES[0]
    mouse: bool = True
    lock_minutes: int = 15  # without a key; 0: never
    trouble: Text | None = None
    colourless: bool = False

    @classmethod
    def at(cls, home: Home, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read both files. A terminal of 16 colours or none gets its own colours, unless a file says otherwise."""
        base = environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
        plain = "NO_COLOR" in environ or not ("256color" in environ.get("TERM", "") or "COLORTERM" in environ)
        found = cls(theme="ansi-dark" if plain else THEMES[0], colourless="NO_COLOR" in environ)
        for path in (home.root / "terminal.toml", Path(base) / "shoumi" / "terminal.toml"):
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            found = read(text, visible(str(path)), found)
        return found


def read(text: str, name: str, before: Settings) -> Settings:
    """Return *before* with what *text* sets; *name* is what the file is called in what is wrong with it."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 4301 digits is the former, and no TOMLDecodeError
        return _with(before, name, visible(str(error)))
    keys, theme, mouse, lock, wrong = dict(before.keys), before.theme, before.mouse, before.lock_minutes, ""
    for setting, value in table.items():
        if setting == "theme" and value in THEMES:
            theme = value
        elif setting == "mouse" and isinstance(value, bool):
            mouse = value
        elif setting == "lock_minutes" and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            lock = value
        elif setting == "keys" and isinstance(value, dict):
            for ident, key in value.items():
                if ident in ACTIONS or ident in _LIST_KEYS:
                    keys[ident] = str(key)
                else:
                    wrong = wrong or visible(f"keys.{ident}")
        else:
            wrong = wrong or visible(setting)
    found = replace(before, keys=keys, theme=theme, mouse=mouse, lock_minutes=lock)
    return _with(found, name, f"`{wrong}`") if wrong else found


def _with(found: Settings, name: str, wrong: str) -> Settings:
    trouble = Text(f"`{name}` is not understood: {wrong}", f"无法理解 `{name}`：{wrong}")
    return replace(found, trouble=found.trouble or trouble)
