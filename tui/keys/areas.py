"""Areas: the directories under protection."""

from rules.text import Text
from tui.keys.shape import KeyAction, ScreenPlace

PLACE = ScreenPlace(
    "areas",
    "4",
    Text("Areas", "目录"),
    Text(
        "the protected directories: level, mode, tier, who may open them", "受保护目录：密级、模式、防护等级、授权人员"
    ),
    "tui.screens.areas:AreasScreen",
    ("area.list",),
)

ACTIONS = (
    KeyAction(
        "areas.filter",
        "slash",
        Text("filter", "筛选"),
        Text("only areas with these words in name, path or domain", "按名称、路径或秘密种类筛选"),
        ("area.list",),
    ),
    KeyAction(
        "areas.open",
        "enter",
        Text("details", "详情"),
        Text("how it is protected, what is wrong with that, and who may open it", "防护情况、问题与授权人员"),
        ("area.show",),
    ),
    KeyAction(
        "areas.add",
        "a",
        Text("add", "新增"),
        Text(
            "protect a directory; what cannot be protected soundly is refused with the reason",
            "将目录纳入保护；无法可靠保护的会被拒绝并说明原因",
        ),
        ("area.add",),
    ),
    KeyAction(
        "areas.change",
        "e",
        Text("change", "修改"),
        Text("level, scope, period, schedule", "修改密级、知悉范围、期限、时间表"),
        ("area.set",),
    ),
    KeyAction(
        "areas.enforce",
        "E",
        Text("ENFORCE", "拦截"),
        Text("block from now on; first see who would have been denied meanwhile", "开始拦截；先显示此前会被拒绝的人员"),
        ("area.enforce", "area.would"),
        cuts=True,
    ),
    KeyAction(
        "areas.confirm",
        "c",
        Text("keep enforcing", "确认拦截"),
        Text("cancel the way back to observing", "确认继续拦截，取消自动恢复"),
        ("area.confirm",),
        footer=False,
    ),
    KeyAction(
        "areas.observe",
        "O",
        Text("observe", "观察"),
        Text("record only and block nothing; the name is typed first", "只记录、不拦截；须先输入名称"),
        ("area.observe",),
        cuts=True,
        footer=False,
    ),
    KeyAction(
        "areas.grant",
        "g",
        Text("grant", "授权"),
        Text("let a person in, for a reason", "授权某人访问（须说明事由）"),
        ("grant.add",),
    ),
    KeyAction(
        "areas.relabel",
        "L",
        Text("label again", "重新标记"),
        Text(
            "count the labels below its path; then label by its place what lost its label or has a strange one",
            "统计该目录路径下的标记；随后对失去标记或标记无效者按位置重新标记",
        ),
        ("area.labels", "area.relabel"),
        cuts=True,
        footer=False,
    ),
    KeyAction(
        "areas.seal",
        "S",
        Text("seal", "封闭卷"),
        Text(
            "from now on nobody gets into a file without a label on its volume; the agent does it by itself",
            "此后其所在卷上没有标记的文件任何人均不能打开；代理会自动执行",
        ),
        ("area.seal",),
        footer=False,
    ),
    KeyAction(
        "areas.remove",
        "X",
        Text("remove", "解除保护"),
        Text("end the protection of the area; its grants end, the files stay", "解除保护；相关授权终止，文件保留"),
        ("area.remove",),
        cuts=True,
        footer=False,
    ),
    KeyAction(
        "areas.log",
        "l",
        Text("log", "日志"),
        Text("what the log says of the area", "查看该目录的日志"),
        ("log.read",),
        footer=False,
    ),
    KeyAction(
        "areas.copy",
        "y",
        Text("copy", "复制"),
        Text("send the line as JSON to the terminal's clipboard", "将该行以 JSON 发送到终端剪贴板"),
        footer=False,
    ),
)
