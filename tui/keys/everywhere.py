"""What can be done on every screen."""

from rules.text import Text
from tui.keys.shape import KeyAction

ACTIONS = (
    KeyAction(
        "everywhere.help",
        "question_mark,f1",
        Text("help", "帮助"),
        Text("what can be done here, and with which key", "此处可做的操作及按键"),
    ),
    KeyAction(
        "everywhere.jump",
        "colon,ctrl+p",
        Text("go to, do", "跳转/命令"),
        Text("every screen and every act by name", "按名称跳转到任一屏幕或执行任一操作"),
    ),
    KeyAction(
        "everywhere.back",
        "escape",
        Text("back", "返回"),
        Text("leave this, one level up; never changes anything", "退回上一级，不作任何更改"),
    ),
    KeyAction(
        "everywhere.refresh",
        "f5,ctrl+r",
        Text("refresh", "刷新"),
        Text("ask the agent again", "重新询问代理"),
        footer=False,
    ),
    KeyAction(
        "everywhere.language",
        "f2",
        Text("中文", "English"),
        Text("switch between English and Chinese", "在中文与英文之间切换"),
        footer=False,
    ),
    KeyAction(
        "everywhere.colours",
        "f3",
        Text("colours", "配色"),
        Text(
            "the next set of colours; two of them use only the terminal's own 16",
            "切换配色；其中两种仅用终端自带的 16 色",
        ),
        footer=False,
    ),
    KeyAction(
        "everywhere.running",
        "f4",
        Text("running work", "进行中的工作"),
        Text("what was started and goes on, and how far it is", "查看已开始的工作及其进度"),
        footer=False,
    ),
    KeyAction(
        "everywhere.quit",
        "ctrl+q",
        Text("quit", "退出"),
        Text("leave the terminal; the agent goes on", "退出本终端；代理继续运行"),
        footer=False,
    ),
)
