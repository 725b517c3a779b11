"""The first screen."""

from rules.text import Text
from tui.keys.shape import KeyAction, ScreenPlace

PLACE = ScreenPlace(
    "home",
    "1",
    Text("Home", "首页"),
    Text("one sentence on how the site is protected, and what needs somebody", "一句话说明防护状态与待办"),
    "tui.screens.home:HomeScreen",
)

ACTIONS: tuple[KeyAction, ...] = (
    KeyAction(
        "home.open",
        "enter",
        Text("open", "打开"),
        Text("go to where the highlighted line is dealt with", "前往处理所选事项的屏幕"),
    ),
    KeyAction(
        "home.denials",
        "d",
        Text("denials", "拒绝记录"),
        Text("the log, denied accesses only", "查看日志中被拒绝的访问"),
        ("log.read",),
    ),
)
