"""``shoumi declaration``: what a person states before entering a room: why, and which devices he carries."""

from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, OutputColumn, act, column, command, moment, shown, table
from rules.text import Text

NOUN = Text("what is stated before entering", "进入申报")


def _added(result: dict[str, str]) -> Text:
    who, room, until = shown(result["person"]), shown(result["room"]), local(result["until"])
    number = result["declaration"]
    return Text(f"{number}: `{who}` for `{room}`, until {until}", f"{number}：`{who}` 进入 `{room}`，至 {until}")


def _list(context: CliContext, args: Args) -> int:
    nothing = context.terminal.say(Text("none", "无"))
    columns = (
        column("declaration", "申报", "id"),
        column("person", "人员", "person"),
        column("room", "场所", "room"),
        column("purpose", "事由", "purpose"),
        OutputColumn(Text("devices", "携带设备"), lambda row: (row["devices"] or nothing) if row["declares"] else None),
        moment("since", "起始", "since"),
        moment("until", "截止", "until"),
        column("by", "经办人", "taken_by"),
    )
    return table(context, context.stream("declaration.list", args), columns, Text("no declarations", "没有申报"))


COMMANDS = (
    act("declaration.add", _added),
    command("declaration.list", _list),
    act(
        "declaration.end",
        lambda r: Text(f"{shown(r['declaration'])} holds no longer", f"{shown(r['declaration'])} 已终止"),
    ),
)
