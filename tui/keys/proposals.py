"""Proposals: what gives access and waits for a second officer."""

from rules.text import Text
from tui.keys.shape import KeyAction, ScreenPlace

PLACE = ScreenPlace(
    "proposals",
    "9",
    Text("Proposals", "提议"),
    Text(
        "acts that give access: who proposed them, what they would give, until when they wait for a second officer",
        "授予权限的操作：提议人、确认后的后果与过期时间，待第二人确认",
    ),
    "tui.screens.proposals:ProposalsScreen",
    ("proposal.list",),
)

ACTIONS = (
    KeyAction(
        "proposals.filter",
        "slash",
        Text("filter", "筛选"),
        Text("only proposals with these words", "按文字筛选提议"),
        ("proposal.list",),
    ),
    KeyAction(
        "proposals.open",
        "enter",
        Text("what it gives", "后果"),
        Text("all of it, and who could open what if it were confirmed now", "查看全文，以及现在确认后谁可访问什么"),
        ("proposal.show",),
    ),
    KeyAction(
        "proposals.confirm",
        "c",
        Text("CONFIRM", "确认"),
        Text(
            "confirm as the second officer: it takes effect; what it gives is shown first",
            "以第二人身份确认，随即生效；先显示后果",
        ),
        ("proposal.confirm", "proposal.show"),
    ),
    KeyAction(
        "proposals.refuse",
        "x",
        Text("refuse", "否决"),
        Text("refuse it, or withdraw one's own: nothing is given", "否决，或撤回本人的提议：不授予任何权限"),
        ("proposal.refuse",),
    ),
    KeyAction(
        "proposals.all",
        "z",
        Text("all", "全部"),
        Text("also those that are over, with who ended them", "包括已结束的提议及处理人"),
        ("proposal.list",),
    ),
    KeyAction(
        "proposals.copy",
        "y",
        Text("copy", "复制"),
        Text("send the line as JSON to the terminal's clipboard", "将该行以 JSON 发送到终端剪贴板"),
        footer=False,
    ),
)
