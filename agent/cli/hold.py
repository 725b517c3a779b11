"""``shoumi hold``: stop a person at once. The command returns when every open is cut; what is open ends right after."""

from typing import Any

from agent.cli.context import act, column, command, listing, moment, shown
from agent.cli.pages.receipt import KEEPING, planned
from agent.cli.pages.receipt import shown as shown_receipt
from agent.presentation import backlog, waits
from rules.text import Text

NOUN = Text("stop a person at once", "停权")


def _cut(result: dict[str, Any]) -> Text:
    person, took = shown(result["person"]), waits.sentence(result)
    under_way = backlog.sentence(result["revocations"])
    more = Text(f"; {under_way.en}", f"；{under_way.zh}") if under_way else Text("", "")
    return Text(f"`{person}` is cut off: {took.en}{more.en}", f"`{person}` 已停权：{took.zh}{more.zh}")


def _lifted(result: dict[str, object]) -> Text:
    person = shown(result["person"])
    if result["waiting"]:
        return Text(
            f"`{person}` stays on hold: a second officer lifts it as well", f"`{person}` 仍被停权：待第二名管理员解除"
        )
    return Text(f"the hold on `{person}` is lifted", f"已解除 `{person}` 的停权")


COMMANDS = (
    act("hold.add", _cut),
    act("hold.lift", _lifted),
    command("hold.plan", lambda context, args: planned(context, args, "hold.plan")),
    command("hold.receipt", lambda context, args: shown_receipt(context, args, "hold.receipt"), extra=KEEPING),
    listing(
        "hold.list",
        (
            column("hold", "停权", "id"),
            column("person", "人员", "person"),
            moment("since", "起始", "since"),
            column("reason", "理由", "reason"),
            column("by", "经办人", "placed_by"),
            moment("lifted", "解除", "lifted_at"),
        ),
        Text("nobody is on hold", "没有人被停权"),
    ),
)
