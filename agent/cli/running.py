"""``shoumi run`` and ``shoumi demo``: the agent itself. Loaded only when they are asked for."""

from importlib import import_module

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
    code: int = import_module("agent.demo").main(context.terminal.language)
    return code


COMMANDS = (
    Command(("run",), Text("run the agent in the foreground", "在前台运行代理"), (), _run),
    Command(("demo",), Text("see it work on a volume of its own, and clean up", "在临时卷上演示并自动清理"), (), _demo),
)
