"""``shoumi grant``: who may open which area, why, and how long."""

from agent.cli.context import act, column, flag, listing, moment, shown
from rules.text import Text

NOUN = Text("who may open which area", "授权")


def _names(result: dict[str, list[str]]) -> str:
    return ", ".join(result["grants"])


COMMANDS = (
    act(
        "grant.add",
        lambda r: Text(
            f"grant {r['grant']}: `{shown(r['person'])}` → `{shown(r['area'])}`",
            f"授权 {r['grant']}：`{shown(r['person'])}` → `{shown(r['area'])}`",
        ),
    ),
    act("grant.end", lambda r: Text(f"ended: {_names(r)}", f"已终止：{_names(r)}")),
    listing(
        "grant.list",
        (
            column("grant", "授权", "id"),
            column("person", "人员", "person"),
            column("area", "目录", "resource"),
            moment("since", "起始", "since"),
            moment("until", "截止", "until"),
            flag("temporary", "临时", "temporary"),
            column("approver", "审批人", "approver"),
            column("reason", "理由", "reason"),
        ),
        Text("no grants", "没有授权"),
    ),
)
