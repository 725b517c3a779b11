"""Rules: the pack in force, and what it says of one person and one place."""

from rules.text import Text
from tui.keys.shape import KeyAction, ScreenPlace

PLACE = ScreenPlace(
    "rules",
    "8",
    Text("Rules", "规则"),
    Text(
        "the pack in force with its clauses; can X open Y, and what would change that",
        "生效规则包与条款；某人能否访问及如何改变",
    ),
    "tui.screens.rules:RulesScreen",
    ("pack.show",),
)

ACTIONS = (
    KeyAction(
        "rules.filter",
        "slash",
        Text("filter", "筛选"),
        Text("only rules with these words", "按文字筛选规则"),
        ("pack.show",),
    ),
    KeyAction(
        "rules.open",
        "enter",
        Text("clauses", "条款"),
        Text("the clauses the rule serves, in their own words", "查看规则所依据条款的原文"),
        ("pack.show",),
    ),
    KeyAction(
        "rules.explain",
        "w",
        Text("CAN X OPEN Y", "能否访问"),
        Text("why a person may or may not open a path or enter a room, at any time", "说明某人某时能否访问及原因"),
        ("explain",),
    ),
    KeyAction(
        "rules.what-if",
        "i",
        Text("what if", "假设"),
        Text(
            "the same with changes that are not made: a level, a grant, a hold, a record",
            "在不作更改的假设下回答同样的问题",
        ),
        ("what-if",),
    ),
    KeyAction(
        "rules.text",
        "p",
        Text("pack", "原文"),
        Text("the pack as it was written (TOML)", "查看规则包原文（TOML）"),
        ("pack.show",),
        footer=False,
    ),
    KeyAction(
        "rules.use",
        "u",
        Text("USE A PACK", "启用规则包"),
        Text(
            "put another pack in force, shipped or from a TOML file; what it changes is shown first",
            "启用另一个规则包（内置或 TOML 文件）；先显示变化",
        ),
        ("pack.use", "pack.show"),
        cuts=True,
        footer=False,
    ),
    KeyAction(
        "rules.check",
        "c",
        Text("check a pack", "检查规则包"),
        Text(
            "mistakes in a pack, and what it would change; nothing is touched", "查看规则包的错误及其变化（不作更改）"
        ),
        ("pack.show",),
        footer=False,
        also=("pack.check",),
    ),
    KeyAction(
        "rules.holidays",
        "h",
        Text("holidays", "节假日"),
        Text("the days on which schedules open nothing", "时间表不开放的日期"),
        ("holiday.list",),
        footer=False,
    ),
    KeyAction(
        "rules.add-holiday",
        "a",
        Text("add holiday", "新增节假日"),
        Text("mark a day as a holiday: schedules open nothing on it", "登记节假日：当日时间表不开放"),
        ("holiday.add",),
        footer=False,
    ),
    KeyAction(
        "rules.end-holiday",
        "x",
        Text("end a holiday", "取消节假日"),
        Text("make a holiday a working day again", "取消节假日，恢复为工作日"),
        ("holiday.remove", "holiday.list"),
        footer=False,
    ),
    KeyAction(
        "rules.copy",
        "y",
        Text("copy", "复制"),
        Text("send the line as JSON to the terminal's clipboard", "将该行以 JSON 发送到终端剪贴板"),
        footer=False,
    ),
)
