"""``shoumi run``, ``demo`` and ``tui``: the agent itself, and its screens. Loaded only when they are asked for."""

import os
import sys
from typing import NoReturn

from agent.api.operations.schema import Param
from agent.cli.context import Args, CliContext
from agent.cli.parser import Command
from agent.runtime.saying import say
from agent.runtime.supervisor import python
from rules.text import Text


def _run(context: CliContext, _args: Args) -> int:
    from agent import daemon  # the holder's modules are of no use to any other command

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
    # Another program, like the agent's own processes: the agent never imports its screens, and they do not carry
    # around what the command line loads.
    words = [args["place"]] if args["place"] else []
    words += ["--no-mouse"] if args["no_mouse"] else []
    argv = python("tui", str(context.home.root), context.terminal.language, *words)
    os.execv(sys.executable, argv)  # noqa: S606


_NO_TUI = Param("no_tui", "flag", Text("do not end in the administration terminal", "结束时不打开管理终端"))
_PLACE = Param("place", "text", Text("where to begin: home, log …", "起始屏幕：home、log……"), positional=True)
_NO_MOUSE = Param(
    "no_mouse",
    "flag",
    Text("leave the mouse to the terminal: text is marked without Shift", "不接管鼠标：无需按 Shift 即可选取文字"),
)

COMMANDS = (
    Command(("run",), Text("run the agent in the foreground", "在前台运行代理"), (), _run),
    Command(("tui",), Text("the administration terminal", "管理终端"), (_PLACE, _NO_MOUSE), _tui),
    Command(
        ("demo",),
        Text("see it work on a volume of its own, and clean up", "在临时卷上演示并自动清理"),
        (_NO_TUI,),
        _demo,
    ),
)
