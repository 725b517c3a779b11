"""``shoumi alarm``: what happened at a door that somebody must look at."""

from agent.cli.context import Args, CliContext, OutputColumn, act, coded, column, command, moment, shown, table, text
from agent.presentation.terms import ALARMS
from rules.text import Text

NOUN = Text("alarms of doors and rooms", "门禁报警")


def _list(context: CliContext, args: Args) -> int:
    columns = (
        column("alarm", "报警", "id"),
        moment("time", "时间", "at"),
        coded("kind", "种类", "kind", ALARMS),
        column("room", "场所", "room"),
        column("door", "门", "door"),
        column("person", "人员", "person"),
        OutputColumn(Text("what", "内容"), lambda row: context.terminal.say(text(row["text"]))),
        column("acknowledged by", "确认人", "acked_by"),
        column("note", "处理说明", "note"),
    )
    return table(context, context.stream("alarm.list", args), columns, Text("no alarms", "没有报警"))


COMMANDS = (
    command("alarm.list", _list),
    act("alarm.ack", lambda r: Text(f"{shown(r['alarm'])} is acknowledged", f"已确认 {shown(r['alarm'])}")),
)
