"""``shoumi door``: readers and locks, their keys, and letting somebody in without a badge.

Rules of this file: a command to a door is done when the door says so: the act gives a ticket, and the program waits for
what came of it. What failed is exit code 1, though the act stands in the log.
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
    shown,
    table,
    text,
)
from agent.cli.parser import Command
from agent.errors import RefusedError
from agent.presentation.terms import CARDS, SIDES, YES_NO, word
from rules.text import Text

NOUN = Text("doors, readers and locks", "门、读卡器与锁")

_ONLINE = {True: Text("yes", "是"), False: Text("NO", "否"), None: Text("-", "-")}
_UNCONFIRMED = Text(
    "its board says so, and its lock does not read as open: see whether the door is",
    "控制板称已放行，但其锁状态未显示开启：请到门前确认",
)
_READER = (
    coded("side", "侧", "side", SIDES),
    column("address", "地址", "address"),
    column("key", "密钥指纹", "key"),
    moment("keyed", "写入时间", "keyed_at"),
)


def _registered(op: str, said: Text) -> Command:
    def run(context: CliContext, args: Args) -> int:
        result = context.call(op, args)
        name = shown(result["door"])
        context.terminal.data(result, Text(said.en.format(name), said.zh.format(name)))
        if not context.terminal.json:
            findings(context, result["findings"])
        return 0

    return command(op, run)


def _show(context: CliContext, args: Args) -> int:
    found = context.call("door.show", args)
    terminal = context.terminal
    if terminal.json:
        terminal.data(found)
        return 0
    rows = [
        (Text("door", "门"), found["name"]),
        (Text("room", "场所"), found["room"]),
        (Text("protocol", "协议"), found["protocol"]),
        (Text("released by", "放行设备"), f"{found['strike']} {found['output']}"),
        (Text("released for", "放行秒数"), found["strike_seconds"]),
        (Text("says when open", "门磁"), terminal.say(YES_NO["yes" if found["contact"] else "no"])),
    ]
    terminal.table([Text("what", "项目"), Text("value", "内容")], [(terminal.say(what), value) for what, value in rows])
    terminal.line("")
    live = {(one["address"], one["side"]): one for one in found["live"]}
    columns = (*_READER, *_live(context, live))
    return table(context, found["readers"], columns, Text("no readers", "没有读卡器"))


def _test(context: CliContext, args: Args) -> int:
    found = context.call("door.test", args)
    terminal = context.terminal
    if terminal.json:
        terminal.data(found)
    else:
        live = {(one["address"], one["side"]): one for one in found["readers"]}
        columns = (coded("side", "侧", "side", SIDES), column("address", "地址", "address"), *_live(context, live))
        table(context, found["readers"], columns, Text("no reader answers", "没有读卡器应答"))
        for hint in dict.fromkeys(text(one["hint"]) for one in found["readers"] if one["hint"]):
            terminal.talk(Text(f"hint: {hint.en}", f"提示：{hint.zh}"))
    return 0 if found["readers"] and all(one["online"] for one in found["readers"]) else 1


def _live(context: CliContext, live: dict[tuple[str, str], dict[str, Any]]) -> tuple[OutputColumn, ...]:
    def of(row: dict[str, Any]) -> dict[str, Any]:
        return live.get((row["address"], row["side"]), {})

    say = context.terminal.say
    return (
        OutputColumn(Text("online", "在线"), lambda row: say(_ONLINE[of(row).get("online")])),
        OutputColumn(Text("secure", "加密认证"), lambda row: say(_ONLINE[of(row).get("secure")])),
        OutputColumn(Text("why", "原因"), lambda row: say(text(of(row)["why"])) if of(row).get("why") else None),
    )


def _list(context: CliContext, args: Args) -> int:
    columns = (
        column("door", "门", "name"),
        column("room", "场所", "room"),
        column("protocol", "协议", "protocol"),
        OutputColumn(Text("readers", "读卡器"), lambda row: [_reader(context, one) for one in row["readers"]]),
        OutputColumn(Text("online", "在线"), lambda row: context.terminal.say(_ONLINE[row["online"]])),
    )
    return table(context, context.stream("door.list", args), columns, Text("no doors yet", "尚无门"))


def _reader(context: CliContext, reader: dict[str, Any]) -> str:
    return f"{context.terminal.say(word(SIDES, reader['side']))} {reader['address']}"


def _cards(context: CliContext, args: Args) -> int:
    columns = (
        column("board", "控制板", "board"),
        column("card", "卡号", "card"),
        coded("wanted", "应为", "wanted", CARDS),
        coded("state", "状态", "state", CARDS),
        OutputColumn(Text("why", "原因"), lambda row: context.terminal.say(text(row["why"]))),
        moment("since", "时间", "at"),
    )
    return table(context, context.stream("door.cards", args), columns, Text("no board holds a card", "控制板上没有卡"))


def _commanded(op: str, done: Text) -> Command:
    """Return a command that gives a door a command, waits for the outcome, and fails when it failed."""

    def run(context: CliContext, args: Args) -> int:
        result = context.call(op, args)
        outcome = context.call("door.outcome", {"ticket": result["ticket"]})
        name = shown(result["door"])
        if not outcome["ok"]:
            why = text(outcome["why"]) if outcome["why"] else Text("no answer yet", "尚无应答")
            raise RefusedError(
                Text(f"`{name}`: {why.en}", f"`{name}`：{why.zh}"),
                Text("the act is in the log; see `shoumi door test`", "操作已记入日志；请运行 `shoumi door test`"),
            )
        key = f" ({outcome['key']})" if outcome["key"] else ""
        context.terminal.data(
            {**result, **outcome}, Text(f"{done.en.format(name)}{key}", f"{done.zh.format(name)}{key}")
        )
        if not outcome["confirmed"]:
            context.terminal.talk(_UNCONFIRMED)
        return 0

    return command(op, run)


def _listens(result: dict[str, Any]) -> Text:
    if result["address"]:
        return Text(f"boards send their events to {result['address']}", f"控制板事件发送至 {result['address']}")
    return Text("boards are not listened to", "不再接收控制板事件")


COMMANDS: tuple[Command, ...] = (
    _registered("door.add", Text("`{}` is registered", "已登记 `{}`")),
    _registered("door.set", Text("`{}` is changed", "已修改 `{}`")),
    command("door.show", _show),
    command("door.list", _list),
    act("door.remove", lambda r: Text(f"`{shown(r['door'])}` is removed", f"已移除 `{shown(r['door'])}`")),
    act("door.listen", _listens),
    command("door.test", _test),
    _commanded("door.open", Text("`{}` was released", "`{}` 已放行")),
    _commanded("door.commission", Text("the reader of `{}` has its key", "`{}` 的读卡器已写入密钥")),
    _commanded("door.rotate-key", Text("the reader of `{}` has another key", "`{}` 的读卡器已更换密钥")),
    command("door.cards", _cards),
    door_simulate.COMMAND,
)
