"""``shoumi registry``: comparison of the registry with the log, and acceptance of an old copy."""

from collections.abc import Iterator
from typing import Any

from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, act, command
from agent.presentation.fields import field_content, field_label, officer
from agent.presentation.terms import ROLES, word
from rules.text import Message, Sentence, series

NOUN = Message("cli.noun-registry")

Json = Any
_WIDTH = 100  # characters of the arguments of one act


def _show(context: CliContext, args: Args) -> int:
    answer, terminal = context.call("registry.show", args), context.terminal
    if terminal.json:
        terminal.emit(answer)
    elif not answer["older"]:
        epoch, last = answer["epoch"], answer["log"]["last"]
        terminal.line(terminal.say(Message("cli.registry-complete", epoch=epoch, last=last)))
    else:
        _lost(context, answer)
    return 1 if answer["older"] else 0


def _lost(context: CliContext, answer: Json) -> None:
    terminal, lost = context.terminal, answer["lost"]
    epoch, proven, count = answer["epoch"], answer["log"]["epoch"], len(lost)
    terminal.line(terminal.say(Message("cli.registry-behind", epoch=epoch, proven=proven, count=count)))
    terminal.table(
        [
            Message("cli.entry-number"),
            Message("common.at"),
            Message("common.act"),
            Message("cli.handled-by"),
            Message("cli.act-arguments"),
        ],
        [
            (
                row["seq"],
                local(row["time"]),
                row["act"],
                terminal.say(_actor(row["actor"] or {})),
                terminal.say(series(_arguments(row["args"] or {})))[:_WIDTH],
            )
            for row in lost
        ],
    )
    if not answer["whole"]:
        unfinished = Message("cli.index-incomplete")
        terminal.line(f"!  {terminal.say(unfinished)}")
    last = lost[-1]["seq"] if lost else 0
    for hint in (
        Message("cli.registry-restore-hint"),
        Message("cli.registry-accept-hint", last=last),
    ):
        terminal.line(f"→ {terminal.say(hint)}")


def _actor(actor: Json) -> Sentence:
    if actor.get("by"):
        return officer(str(actor["by"]))
    return Message("cli.uid-with-role", uid=actor.get("uid"), role=word(ROLES, actor.get("role")))


def _arguments(args: Json) -> Iterator[Sentence]:
    for name, argument in args.items():
        yield Message("common.equals", name=field_label(name), value=field_content(name, argument))


def _accepted(answer: Json) -> Sentence:
    count, epoch = answer["lost"], answer["epoch"]
    sentences: list[Sentence] = [Message("cli.registry-accepted", epoch=epoch, count=count)]
    if refused := len(answer.get("proposals_refused", ())):
        sentences.append(Message("cli.proposals-refused", count=refused))
    if "break_glass" in answer:
        sentences.append(Message("cli.break-glass-code-void"))
    return series(sentences)


COMMANDS = (command("registry.show", _show), act("registry.accept", _accepted))
