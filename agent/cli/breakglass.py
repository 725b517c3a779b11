"""``shoumi breakglass``: the sealed code by which root restores the roles of a site that has lost its officers."""

from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, act, command
from agent.presentation.fields import officer as named_officer
from rules.text import Message

NOUN = Message("cli.noun-breakglass")


def _seal(context: CliContext, args: Args) -> int:
    answer = context.call("breakglass.seal", args)
    context.terminal.emit(answer, Message("cli.break-glass-code", code=answer["code"]))
    return 0


def _show(context: CliContext, args: Args) -> int:
    answer, terminal = context.call("breakglass.show", args), context.terminal
    if terminal.json:
        terminal.emit(answer)
        return 0
    if answer["broken_until"]:
        until, person = local(answer["broken_until"]), named_officer(str(answer["broken_by"]))
        terminal.line(terminal.say(Message("cli.break-glass-opened", person=person, until=until)))
    if answer["sealed_at"]:
        at, officer = local(answer["sealed_at"]), named_officer(str(answer["sealed_by"]))
        terminal.line(terminal.say(Message("cli.break-glass-code-sealed", at=at, officer=officer)))
    else:
        terminal.line(terminal.say(Message("cli.no-break-glass-code")))
    return 0


COMMANDS = (
    command("breakglass.seal", _seal),
    act(
        "breakglass.open",
        lambda r: Message("cli.break-glass-started", until=local(r["until"])),
    ),
    act("breakglass.close", lambda _r: Message("cli.break-glass-ended")),
    command("breakglass.show", _show),
)
