"""The system: processes, tiers, durability, roles, health."""

from rules.text import Text
from tui.keys.shape import KeyAction, ScreenPlace

PLACE = ScreenPlace(
    "system",
    "0",
    Text("System", "系统"),
    Text("what was checked, what is wrong, and the command that helps", "检查结果、问题与处理办法"),
    "tui.screens.system:SystemScreen",
    ("doctor",),
)

ACTIONS = (
    KeyAction(
        "system.filter",
        "slash",
        Text("filter", "筛选"),
        Text("only findings with these words", "按文字筛选检查结果"),
        ("doctor",),
    ),
    KeyAction(
        "system.open",
        "enter",
        Text("details", "详情"),
        Text("the finding in full, with the command that helps", "查看检查结果与处理命令"),
        ("doctor",),
    ),
    KeyAction(
        "system.agent",
        "p",
        Text("processes", "进程"),
        Text(
            "home, tier, durability, pack, roles, and what the decider counts",
            "目录、等级、持久性、规则包、角色与判定进程计数",
        ),
        ("status", "role.list"),
    ),
    KeyAction(
        "system.service",
        "s",
        Text("services", "服务账户"),
        Text("programs that may touch areas", "可访问目录的程序"),
        ("service.list",),
    ),
    KeyAction(
        "system.add-service",
        "a",
        Text("add service", "新增服务"),
        Text("a program, under a uid of its own, that may touch named areas", "新增可访问指定目录的程序（专用 uid）"),
        ("service.add",),
        footer=False,
    ),
    KeyAction(
        "system.end-service",
        "x",
        Text("end a service", "删除服务"),
        Text("a program may touch areas no longer; the plan is shown first", "程序不得再访问目录；先显示计划"),
        ("service.remove", "service.list"),
        cuts=True,
        footer=False,
    ),
    KeyAction(
        "system.clock",
        "t",
        Text("accept clock", "认可时钟"),
        Text("the clock of the host was set back, and is right: judge by it", "主机时钟被拨回且正确：恢复按其判定"),
        ("clock.accept",),
        footer=False,
    ),
    KeyAction(
        "system.key",
        "K",
        Text("public key", "公钥"),
        Text("the agent's public key, which checks its receipts", "代理的公钥，用于核验回执"),
        ("keys.show",),
        footer=False,
    ),
    KeyAction(
        "system.copy",
        "y",
        Text("copy", "复制"),
        Text("send the line as JSON to the terminal's clipboard", "将该行以 JSON 发送到终端剪贴板"),
        footer=False,
    ),
)
