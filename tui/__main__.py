"""``python -m tui HOME LANGUAGE [PLACE] [--no-mouse]``: what ``shoumi tui`` becomes.

Rules of this file: nothing is imported that a first frame does not need.
"""

import sys
from pathlib import Path

from agent.home import Home
from rules.text import Language, Text
from rules.visible import visible

_NO_MOUSE = "--no-mouse"  # what is marked with the mouse is then the outer terminal's own business


def main(argv: list[str]) -> int:
    """Run the terminal until it is left; return the exit code."""
    from tui.app import Terminal
    from tui.keys import PLACES

    home, language, *place = [word for word in argv if word != _NO_MOUSE]
    if place and place[0] not in PLACES:
        said, right = visible(place[0]), ", ".join(PLACES)
        print(
            Text(f"shoumi: there is no screen `{said}`", f"shoumi: 没有屏幕 `{said}`").say(_language(language)),
            file=sys.stderr,
        )
        print(Text(f"hint: one of {right}", f"提示: 可选 {right}").say(_language(language)), file=sys.stderr)
        return 2
    terminal = Terminal(Home(Path(home)), _language(language), place=place[0] if place else "home")
    terminal.run(mouse=terminal.settings.mouse and _NO_MOUSE not in argv)
    return terminal.return_code or 0


def _language(word: str) -> Language:
    return "zh" if word == "zh" else "en"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
