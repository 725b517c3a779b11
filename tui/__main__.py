"""``python -m tui HOME LANGUAGE [PLACE] [--no-mouse]``: what ``shoumi tui`` becomes.

Rules of this file: nothing is imported that a first frame does not need. What keeps the screens from being shown is one
sentence and a hint, as everywhere on the command line.
"""

import os
import sys
from pathlib import Path

from agent.errors import RefusedError, ShoumiError, UsageError
from agent.runtime.home import Home
from rules.text import Language, Text
from rules.visible import visible
from tui.keys import PLACES

_NO_MOUSE = "--no-mouse"  # what is marked with the mouse is then the outer terminal's own business
_COMMANDS = Text(
    "every act has a command too, with --json: shoumi --help", "所有操作均有命令，可加 --json：shoumi --help"
)


def main(argv: list[str]) -> int:
    """Run the terminal until it is left; return the exit code."""
    home, word, *place = [word for word in argv if word != _NO_MOUSE]
    language: Language = "zh" if word == "zh" else "en"
    if error := _not_here(place):
        first, *more = error.lines(language)
        print(f"shoumi: {first}", *more, sep="\n", file=sys.stderr)
        return error.exit_code
    from tui.app import Terminal

    terminal = Terminal(Home(Path(home)), language, place=place[0] if place else "home")
    terminal.run(mouse=terminal.settings.mouse and _NO_MOUSE not in argv)
    return terminal.return_code or 0


def _not_here(place: list[str]) -> ShoumiError | None:
    """Return why the screens cannot be shown."""
    if place and place[0] not in PLACES:
        said, right = visible(place[0]), ", ".join(PLACES)
        return UsageError(
            Text(f"there is no screen `{said}`", f"没有屏幕 `{said}`"), Text(f"one of {right}", f"可选 {right}")
        )
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return RefusedError(Text("the screens need a terminal", "该界面需要在终端中运行"), _COMMANDS)
    if (kind := os.environ.get("TERM", "")) in ("", "dumb"):
        said = visible(kind)
        return RefusedError(
            Text(
                f"a terminal of the kind `{said}` (TERM) cannot show the screens",
                f"终端类型 `{said}`（TERM）无法显示该界面",
            ),
            _COMMANDS,
        )
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
