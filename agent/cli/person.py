"""``shoumi person``: people, and what is on file about one of them."""

from typing import Any

from agent.cli.context import (
    PLAN,
    Args,
    CliContext,
    act,
    coded,
    column,
    command,
    file_text,
    flag,
    level,
    listing,
    losses,
    planned,
    shown,
)
from agent.cli.parser import Command
from agent.presentation.terms import EMPLOYMENTS
from rules.text import Text

NOUN = Text("people", "人员")

_EMPTY = Text("nobody is registered", "没有登记任何人员")


def _import(context: CliContext, args: Args) -> int:
    given = {"csv": file_text(args["csv"])} | ({"update": True} if args.get("update") else {})
    if args.get("plan"):
        return planned(context, "person.import", given)
    result = context.call("person.import", given)
    count, changed = result["people"], result["changed"]
    said = Text(f"{count} people imported", f"已导入 {count} 名人员")
    if changed:
        said = Text(f"{said.en}, {changed} of them were there before", f"{said.zh}，其中 {changed} 名原已登记")
    context.terminal.data(result, said, *losses(result))
    return 0


def _show(context: CliContext, args: Args) -> int:
    found = context.call("person.show", args)
    terminal = context.terminal
    if terminal.json:
        terminal.data(found)
        return 0
    active = Text("active", "在册") if found["active"] else Text("INACTIVE", "已停用")
    levels = [
        Text(f"{c['domain']} {level(c['level']).en}", f"{c['domain']} {level(c['level']).zh}")
        for c in found["clearances"]
    ]
    running = [hold for hold in found["holds"] if hold["lifted_at"] is None]
    rows = [
        (Text("person", "人员"), found["id"]),
        (Text("name", "姓名"), found["name"]),
        (Text("status", "状态"), terminal.say(Text("ON HOLD", "停权中") if running else active)),
        (Text("levels", "密级"), [terminal.say(one) for one in levels]),
        (Text("department", "部门"), found["department"]),
        (Text("post", "岗位"), found["post"]),
        (Text("projects", "项目"), found["projects"]),
        (Text("accounts", "账号"), [account["uid"] for account in found["accounts"]]),
        (Text("badges", "门禁卡"), found["badges"]),
        (
            Text("grants", "授权"),
            [f"{grant['id']} {grant['resource']}" for grant in found["grants"] if not grant["ended_at"]],
        ),
        (
            Text("records", "档案"),
            [f"{record['kind']} {record['on'][:10]}" for record in found["records"] if not record["voided_at"]],
        ),
        (Text("inside", "所在场所"), [row["room"] for row in found["inside"]]),
        (Text("holds", "停权"), [f"{hold['id']} {hold['reason']}" for hold in running]),
    ]
    terminal.table([Text("what", "项目"), Text("value", "内容")], [(terminal.say(what), value) for what, value in rows])
    return 0


def _registered(result: dict[str, Any]) -> Text:
    who = shown(result["person"])
    if result.get("quarantined"):
        return Text(
            f"`{who}` is registered; HR has sent a departure of `{who}` before: shoumi case release {who}",
            f"已登记 `{who}`；人事系统此前已发来 `{who}` 的离岗：shoumi case release {who}",
        )
    return Text(f"`{who}` is registered", f"已登记 `{who}`")


COMMANDS: tuple[Command, ...] = (
    act("person.add", _registered),
    act("person.set", lambda r: Text(f"`{shown(r['person'])}` is changed", f"已修改 `{shown(r['person'])}`")),
    command("person.show", _show),
    listing(
        "person.list",
        (
            column("id", "编号", "id"),
            column("name", "姓名", "name"),
            column("department", "部门", "department"),
            coded("employment", "用工形式", "employment", EMPLOYMENTS),
            flag("active", "在册", "active"),
        ),
        _EMPTY,
    ),
    command("person.import", _import, extra=(PLAN,)),
)
