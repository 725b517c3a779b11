"""``shoumi request``, ``mine`` and ``support``: what people without a role ask for themselves."""

from typing import Any

from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, act, command, shown
from agent.presentation.terms import PROPOSAL_OUTCOMES, word
from rules.text import Text


def _asked(result: dict[str, Any]) -> Text:
    number, whom = shown(result["proposal"]), _names(result["ask"])
    first = Text(f"first it waits for {whom}", f"须先由 {whom} 支持") if whom else None
    return Text(
        f"request {number}: nothing is given yet; {first.en if first else 'it waits for two officers'}",
        f"申请 {number}：尚未授予任何权限；{first.zh if first else '待两名管理员办理'}",
    )


def _mine(context: CliContext, args: Args) -> int:
    found, terminal = context.call("request.mine", args), context.terminal
    if terminal.json:
        terminal.data(found)
        return 0
    terminal.table(
        [Text("denied at", "被拒绝时间"), Text("where", "目录或场所"), Text("what", "对象"), Text("ask", "可联系")],
        [
            (local(row["time"]), row.get("area") or row.get("room"), row.get("path"), _names(row["ask"]))
            for row in found["denials"]
        ],
    )
    for row in found["requests"]:
        terminal.line(terminal.say(_state(row)))
    for row in found["to_support"]:
        number, person, area = shown(row["id"]), shown(row["person"]), shown(row["area"])
        reason = shown(row["reason"])
        terminal.line(
            terminal.say(
                Text(
                    f"{number}: `{person}` asks for `{area}` ({reason}): shoumi support {number}",
                    f"{number}：`{person}` 申请 `{area}`（{reason}）：shoumi support {number}",
                )
            )
        )
    return 0


def _state(row: dict[str, Any]) -> Text:
    number, area = shown(row["id"]), shown(row["area"])
    if row["outcome"]:
        how = word(PROPOSAL_OUTCOMES, row["outcome"])
    elif row["taken_up"]:
        how = Text("an officer has taken it up, a second one confirms", "已由一名管理员受理，待第二人确认")
    elif row["supported_by"]:
        by = shown(row["supported_by"])
        how = Text(f"supported by `{by}`, waits for an officer", f"`{by}` 已支持，待管理员受理")
    else:
        how = Text("waits", "待处理")
    return Text(f"{number}: `{area}`: {how.en}", f"{number}：`{area}`：{how.zh}")


def _names(people: list[dict[str, Any]]) -> str:
    return ", ".join(f"{shown(one['name'])} ({shown(one['person'])})" for one in people)


COMMANDS = (
    act("request.add", _asked, words=("request",)),
    command("request.mine", _mine, words=("mine",)),
    act(
        "request.support",
        lambda r: Text(
            f"{shown(r['proposal'])} of `{shown(r['person'])}` is supported: an officer can take it up",
            f"已支持 `{shown(r['person'])}` 的 {shown(r['proposal'])}：管理员可受理",
        ),
        words=("support",),
    ),
)
