"""Rules: the pack in force, and what it says of one person and one place."""

from rules.text import Text
from tui.keys.shape import Action, Place

PLACE = Place(
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
    Action(
        "rules.filter",
        "slash",
        Text("filter", "筛选"),
        Text("only rules with these words", "按文字筛选规则"),
        ("pack.show",),
    ),
    Action(
        "rules.open",
        "enter",
        Text("clauses", "条款"),
        Text("the clauses the rule serves, in their own words", "查看规则所依据条款的原文"),
        ("pack.show",),
    ),
    Action(
        "rules.explain",
        "w",
        Text("CAN X OPEN Y", "能否访问"),
        Text("why a person may or may not open a path or enter a room, at any time", "说明某人某时能否访问及原因"),
        ("explain",),
    ),
    Action(
        "rules.what-if",
        "i",
        Text("what if", "假设"),
        Text(
            "the same with changes that are not made: a level, a grant, a hold, a record",
            "在不作更改的假设下回答同样的问题",
        ),
        ("what-if",),
    ),
    Action(
        "rules.text",
        "p",
        Text("pack", "原文"),
        Text("the pack as it was written (TOML)", "查看规则包原文（TOML）"),
        ("pack.show",),
        footer=False,
    ),
    Action(
        "rules.copy",
        "y",
        Text("copy", "复制"),
        Text("send the line as JSON to the terminal's clipboard", "将该行以 JSON 发送到终端剪贴板"),
        footer=False,
    ),
)
