"""``shoumi hold``: stop a person at once. The command returns when every open is cut."""

from agent.cli.context import act, column, listing, moment, shown
from rules.text import Text

NOUN = Text("stop a person at once", "停权")


def _cut(result: dict[str, object]) -> Text:
    person, took = shown(result["person"]), f"{result['milliseconds']:.1f} ms"
    return Text(f"`{person}` is cut off: acknowledged after {took}", f"`{person}` 已停权：{took} 后确认生效")


COMMANDS = (
    act("hold.add", _cut),
    act(
        "hold.lift",
        lambda r: Text(f"the hold on `{shown(r['person'])}` is lifted", f"已解除 `{shown(r['person'])}` 的停权"),
    ),
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
