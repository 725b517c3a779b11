"""``shoumi declaration``: purpose and devices that a person declares before entering a room."""

from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, OutputColumn, act, column, command, moment, printable, table
from rules.text import Message, Sentence

NOUN = Message("cli.noun-declaration")


def _added(answer: dict[str, str]) -> Sentence:
    person, room, until = printable(answer["person"]), printable(answer["room"]), local(answer["until"])
    number = answer["declaration"]
    return Message("cli.declaration-added", number=number, person=person, room=room, until=until)


def _list(context: CliContext, args: Args) -> int:
    no_devices = context.terminal.say(Message("common.none"))
    columns = (
        column(Message("cli.declaration"), "id"),
        column(Message("common.person"), "person"),
        column(Message("common.room"), "room"),
        column(Message("common.purpose"), "purpose"),
        OutputColumn(Message("cli.devices"), lambda row: (row["devices"] or no_devices) if row["declares"] else None),
        moment(Message("common.since"), "since"),
        moment(Message("cli.ends-at"), "until"),
        column(Message("cli.handled-by"), "taken_by"),
    )
    return table(context, context.stream("declaration.list", args), columns, Message("cli.no-declarations"))


COMMANDS = (
    act("declaration.add", _added),
    command("declaration.list", _list),
    act(
        "declaration.end",
        lambda r: Message("cli.declaration-ended", declaration=printable(r["declaration"])),
    ),
)
