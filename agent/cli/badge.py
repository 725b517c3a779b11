"""``shoumi badge``: which card is whose."""

from agent.cli.context import act, coded, column, listing, moment, shown
from agent.presentation.terms import BADGES
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
    act(
        "badge.lost",
        lambda r: Text(
            f"badge `{shown(r['number'])}` opens nothing", f"门禁卡 `{shown(r['number'])}` 已挂失，不再有效"
        ),
    ),
    listing(
        "badge.list",
        (
            column("number", "卡号", "number"),
            column("person", "人员", "person"),
            coded("state", "状态", "state", BADGES),
            moment("until", "有效期至", "until"),
        ),
        Text("no badges", "没有门禁卡"),
    ),
)
