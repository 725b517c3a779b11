"""``shoumi role``: the three administrators, and which one is calling."""

from typing import Any

from agent.cli.context import Args, CliContext, act, command, shown, text
from rules.text import Text

NOUN = Text("the three administrators", "三员")


def _list(context: CliContext, args: Args) -> int:
    found = context.call("role.list", args)
    terminal = context.terminal
    if terminal.json:
        terminal.data(found)
        return 0
    terminal.table(
        [Text("role", "角色"), Text("meaning", "名称"), Text("group", "系统组")],
        [(row["role"], terminal.say(text(row["text"])), row["group"]) for row in found["roles"]],
    )
    if found["bootstrap"]:
        terminal.talk(
            Text(
                "no group is set: root acts for all three; see `shoumi doctor`",
                "尚未设置角色组：root 代行三员；见 `shoumi doctor`",
            )
        )
    elif found["yours"]:
        terminal.talk(Text(f"you act as: {shown(found['yours'])}", f"您的角色：{shown(found['yours'])}"))
    else:
        because = text(found["because"])
        terminal.talk(Text(f"you have no role: {because.en}", f"您没有角色：{because.zh}"))
    return 0


def _set(result: dict[str, Any]) -> Text:
    named = ", ".join(f"{role}={shown(group)}" for role, group in result["groups"].items() if group is not None)
    if result["trial_ended"]:
        return Text(
            f"the trial is over for good: {named}; what gives access takes two officers from now on",
            f"试用永久结束：{named}；此后授予权限须两人办理",
        )
    return Text(f"the groups are: {named}", f"角色组：{named}")


COMMANDS = (command("role.list", _list), act("role.set", _set))
