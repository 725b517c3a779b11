"""``shoumi``: the entry point of the program, where errors become text and exit codes.

    0 done    1 refused, or a check failed    2 usage    3 not permitted    4 the agent is not reachable

Rules of this file: no other file exits or prints an error. A closed stdout or Ctrl-C ends the program quietly.
"""

import itertools
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from agent.api.client import AgentClient
from agent.api.proposed import ProposedError
from agent.cli import (
    account,
    alarm,
    area,
    badge,
    breakglass,
    case,
    clock,
    declaration,
    doctor,
    door,
    explain,
    grant,
    hold,
    holiday,
    hr,
    init,
    keys,
    lockdown,
    log,
    occupancy,
    pack,
    person,
    pin,
    process_commands,
    proposal,
    record,
    registry,
    request,
    role,
    room,
    service,
    visitor,
    volume,
)
from agent.cli.context import Args, CliContext
from agent.cli.parser import Command, build
from agent.cli.terminal import Console, choose_language
from agent.errors import FatalError, RefusedError, ShoumiError, UsageError
from agent.runtime.home import Home
from rules.text import Message
from rules.visible import visible

NOUNS = {
    "person": person,
    "account": account,
    "badge": badge,
    "service": service,
    "record": record,
    "area": area,
    "volume": volume,
    "room": room,
    "door": door,
    "visitor": visitor,
    "declaration": declaration,
    "pin": pin,
    "occupancy": occupancy,
    "alarm": alarm,
    "lockdown": lockdown,
    "grant": grant,
    "hold": hold,
    "proposal": proposal,
    "case": case,
    "hr": hr,
    "holiday": holiday,
    "clock": clock,
    "role": role,
    "breakglass": breakglass,
    "keys": keys,
    "log": log,
    "pack": pack,
    "registry": registry,
}
COMMANDS: tuple[Command, ...] = (
    *init.COMMANDS,
    *doctor.COMMANDS,
    *process_commands.COMMANDS,
    *(command for noun in NOUNS.values() for command in noun.COMMANDS),
    *explain.COMMANDS,
    *request.COMMANDS,
)
_PLANS = {("hold", "add"): "hold plan", ("case", "open"): "case plan", ("case", "approve"): "case plan"}
_INTERRUPTED = 130  # 128 + SIGINT, as shells say it
_CLOSED_PIPE = 141  # 128 + SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; return the exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):  # replaced by a test, or closed
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    terminal = Console("en")
    try:
        code = _run(arguments, terminal)
        sys.stdout.flush()
    except ShoumiError as error:
        terminal.error(error)
        code = error.exit_code
    except FatalError as error:
        terminal.error(RefusedError(error.text))
        code = RefusedError.exit_code
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        code = _CLOSED_PIPE
    return code


def _run(arguments: Sequence[str], terminal: Console) -> int:
    terminal.language = choose_language(Home.at(_home_in(arguments)))
    nouns = {name: noun.NOUN for name, noun in NOUNS.items()} | hr.GROUPS
    parser = build(COMMANDS, nouns, terminal.language)
    try:
        args: Args = vars(parser.parse_args(arguments))
    except SystemExit:  # --help has been printed
        return 0
    except UsageError:
        _refuse_plan(arguments)
        raise
    terminal.json = args["json"]
    home = Home.at(args["home"])
    with AgentClient(home) as client:
        command: Command = args["command"]
        try:
            return command.run(CliContext(home, terminal, client), args)
        except ProposedError as proposed:
            terminal.emit(proposed.answer, *proposed.said())
            return 0


def _refuse_plan(arguments: Sequence[str]) -> None:
    """Raise :class:`UsageError` for ``--plan`` of a command whose plan is shown by a command of its own."""
    for place, command in enumerate(itertools.pairwise(arguments)):
        if "--plan" in arguments and (plan := _PLANS.get(command)):
            person = next(
                (visible(argument) for argument in arguments[place + 2 :] if not argument.startswith("-")), "PERSON"
            )
            name = " ".join(command)
            raise UsageError(
                Message("cli.no-plan-option", command=name),
                Message("cli.plan-command", plan=plan, person=person),
            )


def _home_in(arguments: Sequence[str]) -> str | None:
    """Return ``--home`` before the line is parsed: a usage error is printed in the language of the site."""
    for argument, following in zip(arguments, [*arguments[1:], None], strict=False):
        if argument == "--home":
            return following
        if argument.startswith("--home="):
            return argument.removeprefix("--home=")
    return None


def _forget_stdout() -> None:
    """Point stdout at /dev/null: Python's last flush must not fail."""
    sink = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):
        os.dup2(sink, sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
