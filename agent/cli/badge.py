"""``shoumi badge``: which card is whose."""

from agent.cli.context import act, column, listing, shown
from rules.text import Text

NOUN = Text("badges of people", "人员的门禁卡")

COMMANDS = (
    act(
        "badge.add",
        lambda r: Text(
            f"badge `{shown(r['number'])}` is `{shown(r['person'])}`'s",
            f"门禁卡 `{shown(r['number'])}` 发给 `{shown(r['person'])}`",
        ),
    ),
    act(
        "badge.remove",
        lambda r: Text(f"badge `{shown(r['number'])}` is taken back", f"已收回门禁卡 `{shown(r['number'])}`"),
    ),
    listing(
        "badge.list",
        (column("number", "卡号", "number"), column("person", "人员", "person")),
        Text("no badges", "没有门禁卡"),
    ),
)
