"""The access log."""

from rules.text import Text
from tui.keys.shape import KeyAction, ScreenPlace

PLACE = ScreenPlace(
    "log",
    "2",
    Text("Access log", "访问日志"),
    Text("every access and every act, as they were recorded", "逐条查看访问与操作记录"),
    "tui.screens.log:LogScreen",
    ("log.read",),
)

ACTIONS = (
    KeyAction(
        "log.filter",
        "slash",
        Text("filter", "筛选"),
        Text(
            "only some entries: person:E1 area:plans verdict:deny kind:act rule:level, or part of a path",
            "筛选：person:E1 area:plans verdict:deny kind:act rule:level，或路径的一部分",
        ),
        ("log.read",),
    ),
    KeyAction(
        "log.open",
        "enter",
        Text("explain", "详情"),
        Text("the entry in full: why it was decided so, and its proof", "查看条目全文、判定理由与存证"),
    ),
    KeyAction(
        "log.tail",
        "f,end",
        Text("newest", "最新"),
        Text("go to the newest entry and stay there as new ones come", "跳到最新条目并持续跟随"),
    ),
    KeyAction(
        "log.goto",
        "g",
        Text("go to", "定位"),
        Text("a time (2026-03-01, 14:30) or a number of an entry", "跳到某时刻（2026-03-01、14:30）或某序号"),
    ),
    KeyAction(
        "log.denied",
        "d",
        Text("denied", "只看拒绝"),
        Text("denied accesses only; again: all", "只看被拒绝的访问；再按一次恢复全部"),
        ("log.read",),
    ),
    KeyAction(
        "log.hour-back",
        "left_square_bracket",
        Text("−1 hour", "前 1 小时"),
        Text("an hour earlier", "向前一小时"),
        footer=False,
    ),
    KeyAction(
        "log.hour-on",
        "right_square_bracket",
        Text("+1 hour", "后 1 小时"),
        Text("an hour later", "向后一小时"),
        footer=False,
    ),
    KeyAction(
        "log.day-back",
        "left_curly_bracket",
        Text("−1 day", "前 1 天"),
        Text("a day earlier", "向前一天"),
        footer=False,
    ),
    KeyAction(
        "log.day-on",
        "right_curly_bracket",
        Text("+1 day", "后 1 天"),
        Text("a day later", "向后一天"),
        footer=False,
    ),
    KeyAction(
        "log.copy",
        "y",
        Text("copy", "复制"),
        Text("send the line to the terminal's clipboard (OSC 52)", "将该行发送到终端剪贴板（OSC 52）"),
        footer=False,
    ),
    KeyAction(
        "log.copy-json",
        "Y",
        Text("copy JSON", "复制 JSON"),
        Text("send the entry, byte for byte, to the terminal's clipboard", "将条目原文发送到终端剪贴板"),
        footer=False,
    ),
    KeyAction(
        "log.export",
        "e",
        Text("export", "导出"),
        Text("write the entries shown to a file, one JSON object a line", "将所列条目写入文件，每行一个 JSON 对象"),
        ("log.read",),
    ),
    KeyAction(
        "log.verify",
        "v",
        Text("verify", "校验"),
        Text("check that no entry is missing or damaged", "检查条目是否缺失或损坏"),
        ("log.verify",),
    ),
)
