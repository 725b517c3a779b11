"""``shoumi holiday``: days on which the hours of the pack open nothing."""

from agent.cli.context import act, column, listing, shown
from rules.text import Text

NOUN = Text("holidays, for rules with hours", "节假日（用于限时规则）")

COMMANDS = (
    act("holiday.add", lambda r: Text(f"{shown(r['day'])} is a holiday", f"{shown(r['day'])} 已登记为节假日")),
    act("holiday.remove", lambda r: Text(f"{shown(r['day'])} is a working day", f"{shown(r['day'])} 已恢复为工作日")),
    listing(
        "holiday.list",
        (column("day", "日期", "day"), column("name", "名称", "name")),
        Text("no holidays", "没有登记节假日"),
    ),
)
