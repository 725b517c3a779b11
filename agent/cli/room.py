"""``shoumi room``: places with doors, what each asks, and what is kept there."""

from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, OutputColumn, act, coded, column, command, level, shown, table
from agent.presentation.terms import DOMAINS, PASSBACKS, word
from rules.text import Text

NOUN = Text("rooms and what they ask", "涉密场所")

_ASKS = (
    ("two_person", Text("two enter together", "双人进入")),
    ("needs_purpose", Text("a purpose", "事由")),
    ("needs_declaration", Text("a declaration of devices", "携带物品申报")),
    ("needs_pin", Text("a PIN", "密码")),
    ("first_in", Text("the custodian first", "责任人先进")),
    ("lone_alarm", Text("nobody alone", "不得单人停留")),
)


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
    passback, limit = found["anti_passback"], found["occupancy_limit"]
    rows = [
        (Text("room", "场所"), found["name"]),
        (
            Text("level", "密级"),
            f"{terminal.say(level(found['level']))} ({terminal.say(word(DOMAINS, found['domain']))})",
        ),
        (Text("asks for", "进入要求"), [terminal.say(text) for name, text in _ASKS if found[name]]),
        (Text("anti-passback", "反潜回"), None if passback == "none" else terminal.say(word(PASSBACKS, passback))),
        (Text("at most inside", "人数上限"), limit or None),
        (Text("may stand open", "可敞开秒数"), found["held_open_seconds"]),
        (Text("list emptied at", "在场名单清空时刻"), found["reset_at"]),
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
