"""``shoumi alarm``: alarms of doors and rooms, and their acknowledgement."""

from agent.cli.context import Args, CliContext, OutputColumn, act, coded, column, command, moment, printable, table
from agent.presentation.terms import ALARMS
from rules.text import Message, from_json

NOUN = Message("cli.noun-alarm")


def _list(context: CliContext, args: Args) -> int:
    columns = (
        column(Message("common.alarm"), "id"),
        moment(Message("common.time"), "at"),
        coded(Message("tui.kind"), "kind", ALARMS),
        column(Message("common.room"), "room"),
        column(Message("common.door"), "door"),
        column(Message("common.person"), "person"),
        OutputColumn(Message("common.contents"), lambda row: context.terminal.say(from_json(row["text"]))),
        column(Message("cli.acknowledged-by"), "acked_by"),
        column(Message("registry.note"), "note"),
    )
    return table(context, context.stream("alarm.list", args), columns, Message("cli.no-alarms"))


COMMANDS = (
    command("alarm.list", _list),
    act("alarm.ack", lambda r: Message("cli.alarm-acknowledged", alarm=printable(r["alarm"]))),
)
