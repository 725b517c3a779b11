"""``shoumi room``: secure rooms, their requirements and the areas stored in them."""

from agent.api.operations.room_fields import asked_for, values
from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, OutputColumn, act, coded, column, command, level, printable, table
from agent.presentation.terms import DOMAINS, word
from rules.text import Message, Sentence, Text

NOUN = Message("cli.noun-room")


def _host(answer: dict[str, str]) -> Sentence:
    name = printable(answer["room"])
    return Message("cli.host-room", name=name) if name else Message("cli.host-no-room")


def _show(context: CliContext, args: Args) -> int:
    room = context.call("room.show", args)
    terminal = context.terminal
    if terminal.json:
        terminal.emit(room)
        return 0
    rows = [
        (Message("common.room"), room["name"]),
        (
            Message("common.level"),
            terminal.say(Message("common.with-note", text=level(room["level"]), more=word(DOMAINS, room["domain"]))),
        ),
        (Message("common.entry-requirements"), [terminal.say(text) for text in asked_for(room)]),
        *((label, terminal.say(cell) if isinstance(cell, Message | Text) else cell) for label, cell in values(room)),
        (Message("cli.scope-persons"), room["scope"]["person"]),
        (Message("cli.scope-departments"), room["scope"]["department"]),
        (Message("cli.scope-projects"), room["scope"]["project"]),
        (Message("cli.custodian"), room["custodian"]),
        (Message("cli.opening-hours"), room["hours"]),
        (Message("cli.secret-until"), room["secret_until"] and local(room["secret_until"])),
        (Message("cli.room-contents"), room["keeps"]),
        (Message("common.doors"), room["doors"]),
        (Message("common.inside"), [person["person"] for person in room["inside"]]),
        (Message("cli.open-alarms"), room["alarms"] or None),
        (Message("common.locked-down"), room["locked"]),
    ]
    terminal.table([Message("cli.field"), Message("cli.value")], [(terminal.say(name), cell) for name, cell in rows])
    return 0


def _list(context: CliContext, args: Args) -> int:
    columns = (
        column(Message("common.room"), "name"),
        OutputColumn(Message("common.level"), lambda row: context.terminal.say(level(row["level"]))),
        coded(Message("tui.domain"), "domain", DOMAINS),
        column(Message("common.doors"), "doors"),
        column(Message("cli.inside-count"), "inside"),
        OutputColumn(
            Message("common.state"),
            lambda row: context.terminal.say(Message("common.locked-down")) if row["locked"] else None,
        ),
    )
    return table(context, context.stream("room.list", args), columns, Message("cli.no-rooms-yet"))


COMMANDS = (
    act("room.add", lambda r: Message("cli.registered", name=printable(r["room"]))),
    act("room.set", lambda r: Message("cli.changed", name=printable(r["room"]))),
    command("room.show", _show),
    command("room.list", _list),
    act(
        "room.remove",
        lambda r: Message("cli.room-removed", room=printable(r["room"]), count=r["grants_ended"]),
    ),
    act("room.host", _host),
)
