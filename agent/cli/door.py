"""``shoumi door``: doors with their readers, locks and keys, and the release of a door without a badge.

Rules of this file: a command to a door is done when the door reports it. The act returns a ticket, and the program
waits for its outcome. A failed command is exit code 1, though the act is in the log.
"""

from typing import Any

from agent.cli import door_simulate
from agent.cli.context import (
    Args,
    CliContext,
    OutputColumn,
    act,
    coded,
    column,
    command,
    findings,
    moment,
    printable,
    table,
)
from agent.cli.parser import Command
from agent.errors import RefusedError
from agent.presentation.terms import CARDS, SIDES, YES_NO, word
from rules.text import Message, Sentence, foreign, from_json

NOUN = Message("cli.noun-door")

_ONLINE: dict[object, Sentence] = {True: Message("common.yes"), False: Message("common.no"), None: foreign("-")}
_UNCONFIRMED = Message("cli.door-release-unconfirmed")
_READER = (
    coded(Message("cli.side"), "side", SIDES),
    column(Message("cli.address"), "address"),
    column(Message("cli.key-fingerprint"), "key"),
    moment(Message("cli.keyed-at"), "keyed_at"),
)


def _registered(op: str, sentence: Message) -> Command:
    def run(context: CliContext, args: Args) -> int:
        answer = context.call(op, args)
        name = printable(answer["door"])
        context.terminal.emit(answer, sentence.about(name=name))
        if not context.terminal.json:
            findings(context, answer["findings"])
        return 0

    return command(op, run)


def _show(context: CliContext, args: Args) -> int:
    door = context.call("door.show", args)
    terminal = context.terminal
    if terminal.json:
        terminal.emit(door)
        return 0
    rows = [
        (Message("common.door"), door["name"]),
        (Message("common.room"), door["room"]),
        (Message("cli.protocol"), door["protocol"]),
        (Message("cli.release-device"), f"{door['strike']} {door['output']}"),
        (Message("cli.release-seconds"), door["strike_seconds"]),
        (Message("cli.door-contact"), terminal.say(YES_NO["yes" if door["contact"] else "no"])),
    ]
    terminal.table([Message("cli.field"), Message("cli.value")], [(terminal.say(label), text) for label, text in rows])
    terminal.line("")
    live = {(reader["address"], reader["side"]): reader for reader in door["live"]}
    columns = (*_READER, *_live(context, live))
    return table(context, door["readers"], columns, Message("cli.no-readers"))


def _test(context: CliContext, args: Args) -> int:
    answer = context.call("door.test", args)
    terminal = context.terminal
    if terminal.json:
        terminal.emit(answer)
    else:
        live = {(reader["address"], reader["side"]): reader for reader in answer["readers"]}
        columns = (
            coded(Message("cli.side"), "side", SIDES),
            column(Message("cli.address"), "address"),
            *_live(context, live),
        )
        table(context, answer["readers"], columns, Message("cli.no-reader-answers"))
        for hint in dict.fromkeys(from_json(reader["hint"]) for reader in answer["readers"] if reader["hint"]):
            terminal.talk(Message("runtime.hint", hint=hint))
    return 0 if answer["readers"] and all(reader["online"] for reader in answer["readers"]) else 1


def _live(context: CliContext, live: dict[tuple[str, str], dict[str, Any]]) -> tuple[OutputColumn, ...]:
    def of(row: dict[str, Any]) -> dict[str, Any]:
        return live.get((row["address"], row["side"]), {})

    say = context.terminal.say
    return (
        OutputColumn(Message("cli.online"), lambda row: say(_ONLINE[of(row).get("online")])),
        OutputColumn(Message("cli.secure"), lambda row: say(_ONLINE[of(row).get("secure")])),
        OutputColumn(
            Message("common.reason"),
            lambda row: say(from_json(of(row)["why"])) if of(row).get("why") else None,
        ),
    )


def _list(context: CliContext, args: Args) -> int:
    columns = (
        column(Message("common.door"), "name"),
        column(Message("common.room"), "room"),
        column(Message("cli.protocol"), "protocol"),
        OutputColumn(Message("cli.readers"), lambda row: [_reader(context, reader) for reader in row["readers"]]),
        OutputColumn(Message("cli.online"), lambda row: context.terminal.say(_ONLINE[row["online"]])),
    )
    return table(context, context.stream("door.list", args), columns, Message("cli.no-doors-yet"))


def _reader(context: CliContext, reader: dict[str, Any]) -> str:
    return f"{context.terminal.say(word(SIDES, reader['side']))} {reader['address']}"


def _cards(context: CliContext, args: Args) -> int:
    columns = (
        column(Message("cli.board"), "board"),
        column(Message("cli.card-number"), "card"),
        coded(Message("cli.card-wanted"), "wanted", CARDS),
        coded(Message("common.state"), "state", CARDS),
        OutputColumn(Message("common.reason"), lambda row: context.terminal.say(from_json(row["why"]))),
        moment(Message("common.since"), "at"),
    )
    return table(context, context.stream("door.cards", args), columns, Message("cli.no-cards-on-boards"))


def _commanded(op: str, success: Message) -> Command:
    """Return a command that sends an order to a door, waits for its outcome, and fails when the order fails."""

    def run(context: CliContext, args: Args) -> int:
        answer = context.call(op, args)
        outcome = context.call("door.outcome", {"ticket": answer["ticket"]})
        name = printable(answer["door"])
        if not outcome["ok"]:
            reason = from_json(outcome["why"]) if outcome["why"] else Message("common.no-answer-yet")
            raise RefusedError(
                Message("common.named", name=name, text=reason),
                Message("cli.door-command-failed-hint"),
            )
        sentence: Sentence = success.about(name=name)
        if outcome["key"]:
            sentence = Message("common.with-note", text=sentence, more=outcome["key"])
        context.terminal.emit({**answer, **outcome}, sentence)
        if not outcome["confirmed"]:
            context.terminal.talk(_UNCONFIRMED)
        return 0

    return command(op, run)


def _listens(answer: dict[str, Any]) -> Sentence:
    if answer["address"]:
        return Message("cli.boards-event-address", address=answer["address"])
    return Message("cli.boards-not-received")


COMMANDS: tuple[Command, ...] = (
    _registered("door.add", Message("cli.registered")),
    _registered("door.set", Message("cli.changed")),
    command("door.show", _show),
    command("door.list", _list),
    act("door.remove", lambda r: Message("cli.removed", name=printable(r["door"]))),
    act("door.listen", _listens),
    command("door.test", _test),
    _commanded("door.open", Message("cli.door-released")),
    _commanded("door.commission", Message("cli.reader-commissioned")),
    _commanded("door.rotate-key", Message("cli.reader-key-rotated")),
    command("door.cards", _cards),
    door_simulate.COMMAND,
)
