"""``shoumi pin``: PINs typed at doors. They are typed here without echo, and never given on a command line.

A terminal asks for the PIN twice. Otherwise stdin has it: the first line is the PIN, the second line, if any, the
duress PIN.
"""

import getpass
import sys

from agent.api.operations import TABLE
from agent.api.operations.people import PERSON
from agent.cli.context import Args, CliContext, act, column, flag, listing, moment, printable
from agent.cli.parser import Command
from agent.errors import UsageError
from rules.text import Message

NOUN = Message("cli.noun-pin")


def _set(context: CliContext, args: Args) -> int:
    pin, duress = _typed(context) if sys.stdin.isatty() else _piped()
    answer = context.call("pin.set", {"person": args["person"], "pin": pin, "duress": duress or None})
    person = printable(answer["person"])
    sentence = Message("cli.pin-set", person=person)
    if answer["duress"]:
        sentence = Message("cli.pin-and-duress-set", person=person)
    context.terminal.emit(answer, sentence)
    return 0


def _typed(context: CliContext) -> tuple[str, str]:
    say = context.terminal.say
    pin = getpass.getpass(say(Message("cli.prompt-pin")))
    if pin != getpass.getpass(say(Message("cli.prompt-again"))):
        raise UsageError(Message("cli.pins-differ"))
    duress = getpass.getpass(say(Message("cli.prompt-duress-pin")))
    if duress and duress != getpass.getpass(say(Message("cli.prompt-again"))):
        raise UsageError(Message("cli.pins-differ"))
    return pin, duress


def _piped() -> tuple[str, str]:
    lines = [line.strip() for line in sys.stdin.read().splitlines()]
    if not lines or not lines[0] or len(lines) > 2:
        raise UsageError(
            Message("cli.pin-stdin-missing"),
            Message("cli.pin-stdin-hint"),
        )
    return lines[0], lines[1] if len(lines) > 1 else ""


COMMANDS = (
    Command(("pin", "set"), TABLE["pin.set"].help, (PERSON,), _set),
    act(
        "pin.remove",
        lambda r: Message("cli.pin-removed", person=printable(r["person"])),
    ),
    listing(
        "pin.list",
        (
            column(Message("common.person"), "person"),
            flag(Message("cli.duress-pin"), "duress"),
            moment(Message("cli.pin-set-at"), "set_at"),
        ),
        Message("cli.no-pins"),
    ),
)
