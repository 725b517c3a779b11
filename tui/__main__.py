"""Entry point of the terminal: ``python -m tui HOME LANGUAGE [PLACE] [--no-mouse]``, which ``shoumi tui`` executes.

Rules of this file: nothing is imported that the first frame does not need. An error before the first frame is one
sentence and a hint, as everywhere on the command line.
"""

import os
import sys
from pathlib import Path

from agent.errors import RefusedError, ShoumiError, UsageError
from agent.language.errors import error_lines
from agent.runtime.home import Home
from rules.text import Language, Message
from tui.keys import PLACES

_NO_MOUSE = "--no-mouse"  # the outer terminal then handles text selection with the mouse
_COMMANDS = Message("tui.use-commands-instead")


def main(argv: list[str]) -> int:
    """Run the terminal until the user quits; return the exit code."""
    home, requested, *place = [argument for argument in argv if argument != _NO_MOUSE]
    language: Language = "zh" if requested == "zh" else "en"
    if error := _startup_error(place):
        first, *more = error_lines(error, language)
        print(f"shoumi: {first}", *more, sep="\n", file=sys.stderr)
        return error.exit_code
    from tui.app import Terminal

    terminal = Terminal(Home(Path(home)), language, place=place[0] if place else "home")
    terminal.run(mouse=terminal.settings.mouse and _NO_MOUSE not in argv)
    return terminal.return_code or 0


def _startup_error(place: list[str]) -> ShoumiError | None:
    """Return the error that keeps the screens from being shown; ``None`` when there is none."""
    if place and place[0] not in PLACES:
        return UsageError(Message("tui.screen-unknown", screen=place[0]), Message("tui.one-of", choices=list(PLACES)))
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return RefusedError(Message("tui.needs-terminal"), _COMMANDS)
    if (kind := os.environ.get("TERM", "")) in ("", "dumb"):
        return RefusedError(Message("tui.terminal-unsuitable", terminal=kind), _COMMANDS)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
