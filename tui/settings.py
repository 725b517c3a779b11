"""Settings of the terminal by site and user: keys, theme, mouse and lock, in ``terminal.toml``.

    theme = "ansi-dark"
    mouse = false
    lock_minutes = 15
    [keys]
    "log.filter" = "f"

Rules of this file: the site's file (``HOME/terminal.toml``) comes first, the user's own
(``$XDG_CONFIG_HOME/shoumi/terminal.toml``) overrides it. Nothing in them keeps the terminal from starting: the first
error is reported, and the valid settings apply. An unreadable file counts as absent.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.runtime.home import Home
from rules.text import Message, Sentence
from rules.visible import visible
from tui.keys import ACTIONS

THEMES = ("textual-dark", "textual-light", "ansi-dark", "ansi-light")
_LIST_KEYS = frozenset(f"list.{name}" for name in ("up", "down", "page-up", "page-down", "first", "last"))


@dataclass(frozen=True, slots=True)
class Settings:
    """Keys by action id, theme, mouse, lock, and the first error of the files."""

    keys: Mapping[str, str] = field(default_factory=dict)
    theme: str = THEMES[0]
    mouse: bool = True
    lock_minutes: int = 15  # of idleness; 0: never
    trouble: Sentence | None = None
    colourless: bool = False

    @classmethod
    def at(cls, home: Home, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Return the settings of both files. With 16 colours or fewer the default theme uses the terminal's own."""
        base = environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
        plain = "NO_COLOR" in environ or not ("256color" in environ.get("TERM", "") or "COLORTERM" in environ)
        settings = cls(theme="ansi-dark" if plain else THEMES[0], colourless="NO_COLOR" in environ)
        for path in (home.root / "terminal.toml", Path(base) / "shoumi" / "terminal.toml"):
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            settings = read(text, visible(str(path)), settings)
        return settings


def read(text: str, name: str, before: Settings) -> Settings:
    """Return *before* with the settings in *text*; *name* is the file name for its error."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 4301 digits is the former, and no TOMLDecodeError
        return _with_trouble(before, name, str(error))
    keys, theme, mouse, lock, wrong = dict(before.keys), before.theme, before.mouse, before.lock_minutes, ""
    for setting, configured in table.items():
        if setting == "theme" and configured in THEMES:
            theme = configured
        elif setting == "mouse" and isinstance(configured, bool):
            mouse = configured
        elif (
            setting == "lock_minutes"
            and isinstance(configured, int)
            and not isinstance(configured, bool)
            and configured >= 0
        ):
            lock = configured
        elif setting == "keys" and isinstance(configured, dict):
            for ident, key in configured.items():
                if ident in ACTIONS or ident in _LIST_KEYS:
                    keys[ident] = str(key)
                else:
                    wrong = wrong or visible(f"keys.{ident}")
        else:
            wrong = wrong or visible(setting)
    updated = replace(before, keys=keys, theme=theme, mouse=mouse, lock_minutes=lock)
    return _with_trouble(updated, name, f"`{wrong}`") if wrong else updated


def _with_trouble(settings: Settings, name: str, detail: str) -> Settings:
    trouble = Message("tui.settings-invalid", name=name, error=detail)
    return replace(settings, trouble=settings.trouble or trouble)
