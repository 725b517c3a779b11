"""``shoumi run``, ``demo`` and ``tui``: the agent, its demonstration and its screens, loaded when they are started."""

import os
import sys
from typing import NoReturn

from agent.api.operations.schema import Param
from agent.cli.context import Args, CliContext
from agent.cli.parser import Command
from agent.runtime.saying import say
from agent.runtime.supervisor import python
from rules.text import Message


def _run(context: CliContext, _args: Args) -> int:
    from agent import daemon  # no other command needs the modules of the holder

    def announce(line: str) -> bool:
        return say(line, context.terminal.out.fileno())

    return daemon.run(context.home, announce)


def _demo(context: CliContext, args: Args) -> int:
    from agent.demo.play import play  # likewise

    terminal = context.terminal
    interactive = sys.stdin.isatty() and terminal.out.isatty()
    screens = not args["no_tui"] and os.environ.get("TERM", "dumb") != "dumb"
    return play(language=terminal.language, interactive=interactive, screens=screens, json=terminal.json)


def _tui(context: CliContext, args: Args) -> NoReturn:
    # A program of its own, like the agent's processes: the agent never imports the screens, and the screens do not
    # keep the modules of the command line in memory.
    options = [args["place"]] if args["place"] else []
    options += ["--no-mouse"] if args["no_mouse"] else []
    argv = python("tui", str(context.home.root), context.terminal.language, *options)
    os.execv(sys.executable, argv)  # noqa: S606


_NO_TUI = Param("no_tui", "flag", Message("cli.param-no-tui"))
_PLACE = Param("place", "text", Message("cli.param-place"), positional=True)
_NO_MOUSE = Param(
    "no_mouse",
    "flag",
    Message("cli.param-no-mouse"),
)

COMMANDS = (
    Command(("run",), Message("cli.help-run"), (), _run),
    Command(("tui",), Message("cli.help-tui"), (_PLACE, _NO_MOUSE), _tui),
    Command(
        ("demo",),
        Message("cli.help-demo"),
        (_NO_TUI,),
        _demo,
    ),
)
