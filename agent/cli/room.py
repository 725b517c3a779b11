"""``shoumi room``: places with doors, what each asks, and what is kept there."""

from agent.api.operations.room_fields import asked_for, values
from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, OutputColumn, act, coded, column, command, level, shown, table
from agent.presentation.terms import DOMAINS, word
from rules.text import Text

NOUN = Text("rooms and what they ask", "涉密场所")


def _host(result: dict[str, str]) -> Text:
    name = shown(result["room"])
    return (
        Text(f"this machine stands in `{name}`", f"本机位于 `{name}`")
        if name
        else Text("this machine stands in no room", "本机不在任何场所")
    )


def _show(context: CliContext, args: Args) -> int:
    found = context.call("room.show", args)
    terminal = context.terminal
    if terminal.json:
        terminal.data(found)
        return 0
    rows = [
        (Text("room", "场所"), found["name"]),
        (
            Text("level", "密级"),
            f"{terminal.say(level(found['level']))} ({terminal.say(word(DOMAINS, found['domain']))})",
        ),
        (Text("asks for", "进入要求"), [terminal.say(text) for text in asked_for(found)]),
        *((label, terminal.say(value) if isinstance(value, Text) else value) for label, value in values(found)),
        (Text("persons in scope", "知悉人员"), found["scope"]["person"]),
        (Text("departments in scope", "知悉部门"), found["scope"]["department"]),
        (Text("projects in scope", "知悉项目"), found["scope"]["project"]),
        (Text("custodian", "责任人"), found["custodian"]),
        (Text("hours", "开放时间"), found["hours"]),
        (Text("secret until", "保密期限"), found["secret_until"] and local(found["secret_until"])),
        (Text("keeps", "存放"), found["keeps"]),
        (Text("doors", "门"), found["doors"]),
        (Text("inside", "室内人员"), [one["person"] for one in found["inside"]]),
        (Text("open alarms", "未确认报警"), found["alarms"] or None),
        (Text("LOCKED DOWN", "封控中"), found["locked"]),
    ]
    terminal.table([Text("what", "项目"), Text("value", "内容")], [(terminal.say(what), value) for what, value in rows])
    return 0


def _list(context: CliContext, args: Args) -> int:
    columns = (
        column("room", "场所", "name"),
        OutputColumn(Text("level", "密级"), lambda row: context.terminal.say(level(row["level"]))),
        coded("domain", "种类", "domain", DOMAINS),
        column("doors", "门", "doors"),
        column("inside", "室内人数", "inside"),
        OutputColumn(
            Text("state", "状态"),
            lambda row: context.terminal.say(Text("LOCKED DOWN", "封控中")) if row["locked"] else None,
        ),
    )
    return table(context, context.stream("room.list", args), columns, Text("no rooms yet", "尚无场所"))


COMMANDS = (
    act("room.add", lambda r: Text(f"`{shown(r['room'])}` is registered", f"已登记 `{shown(r['room'])}`")),
    act("room.set", lambda r: Text(f"`{shown(r['room'])}` is changed", f"已修改 `{shown(r['room'])}`")),
    command("room.show", _show),
    command("room.list", _list),
    act(
        "room.remove",
        lambda r: Text(
            f"`{shown(r['room'])}` is removed; {r['grants_ended']} grants ended",
            f"已移除 `{shown(r['room'])}`；终止授权 {r['grants_ended']} 项",
        ),
    ),
    act("room.host", _host),
)
