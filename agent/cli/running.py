"""``shoumi run`` and ``shoumi demo``: the agent itself. Loaded only when they are asked for."""

import sys

from agent.cli.context import Args, Context
from agent.cli.parser import Command
from rules.text import Text


def _run(context: Context, _args: Args) -> int:
    from agent import daemon  # the holder's modules are of no use to any other command

    def announce(line: str) -> None:
        context.terminal.line(line)
        context.terminal.out.flush()

    return daemon.run(context.home, announce)


def _demo(context: Context, _args: Args) -> int:
    from agent.demo.play import play  # likewise

    terminal = context.terminal
    interactive = sys.stdin.isatty() and terminal.out.isatty()
    return play(language=terminal.language, interactive=interactive, json=terminal.json)


COMMANDS = (
    Command(("run",), Text("run the agent in the foreground", "在前台运行代理"), (), _run),
    Command(("demo",), Text("see it work on a volume of its own, and clean up", "在临时卷上演示并自动清理"), (), _demo),
)
