"""Operations on areas 涉密目录.

The system administrator brings a directory under protection, which can only take access away. Whatever loosens it
(a lower level, a wider scope, observe mode, removal) is the security officer's.
"""

from agent.api.operations.schema import ANY, AUDITOR, OFFICERS, SECURITY, SYSTEM, Operation, Param
from rules.text import Text

HELD = Param(
    "held",
    "text",
    Text(
        "of who held its files before it was guarded: name them, or end who may not read",
        "对受保护前已占用其文件的进程：仅列出，或结束其中无权者",
    ),
    choices=("name", "end"),
)
AREA = Param("area", "text", Text("name of an area", "目录名称"), required=True, positional=True, metavar="AREA")
BELOW = Param(
    "path", "path", Text("a file or a directory", "文件或目录"), required=True, positional=True, metavar="PATH"
)
SCOPE = (
    Param(
        "person", "texts", Text("person in the scope; may be repeated", "知悉范围内的人员；可重复"), metavar="PERSON"
    ),
    Param("department", "texts", Text("department in the scope; may be repeated", "知悉范围内的部门；可重复")),
    Param("project", "texts", Text("project in the scope; may be repeated", "知悉范围内的项目；可重复")),
    Param("custodian", "text", Text("who answers for it", "责任人")),
    Param("secret_until", "until", Text("end of the secrecy period", "保密期限"), metavar="DATE"),
    Param("hours", "text", Text("schedule of the pack", "规则包中的时间表")),
)

OPERATIONS = (
    Operation(
        "area.add",
        Text("protect a directory", "将目录纳入保护"),
        SYSTEM,
        (
            Param("path", "path", Text("the directory", "目录路径"), required=True, positional=True, metavar="PATH"),
            Param("name", "text", Text("name of the area", "名称"), required=True),
            Param("level", "level", Text("its level", "密级"), required=True),
            Param(
                "domain",
                "text",
                Text("its domain (state, commercial …)", "秘密种类(state、commercial……)"),
                required=True,
            ),
            *SCOPE,
            Param("observe", "flag", Text("decide and record, block nothing yet", "只判定和记录，暂不拦截")),
            Param(
                "enforce",
                "flag",
                Text("block at once, also in a trial of a pack that does not", "立即拦截（规则包试用期不拦截时）"),
            ),
            Param("each_read", "flag", Text("ask about every read, not only opens (slow)", "每次读取都判定（较慢）")),
            Param(
                "sharing",
                "text",
                Text("what the filesystem is, against what is found", "指定文件系统用途，覆盖自动判断"),
                choices=("dedicated", "shared"),
            ),
            Param("accept_links", "flag", Text("though files have names outside", "允许文件在目录外另有名称")),
            HELD,
        ),
        act=True,
    ),
    Operation("area.show", Text("show one area and how it is protected", "查看目录及其保护情况"), ANY, (AREA,)),
    Operation("area.list", Text("list areas", "列出目录"), ANY, stream=True),
    Operation(
        "area.set",
        Text("change an area's level, scope or period", "修改目录的密级、知悉范围或期限"),
        SECURITY,
        (
            AREA,
            Param("level", "level", Text("its level", "密级")),
            Param("domain", "text", Text("its domain", "秘密种类")),
            *SCOPE,
            HELD,
        ),
        act=True,
    ),
    Operation(
        "area.would",
        Text("show who would have been denied while observing", "查看观察期间本应被拒绝的人员"),
        SECURITY,
        (AREA,),
        read_entry=True,
    ),
    Operation(
        "area.enforce",
        Text("block from now on", "开始拦截"),
        SECURITY,
        (
            AREA,
            Param(
                "revert_after",
                "number",
                Text("go back to observe after MIN minutes unless confirmed", "若未确认，MIN 分钟后退回观察"),
                metavar="MIN",
            ),
        ),
        act=True,
    ),
    Operation("area.confirm", Text("keep enforcing: cancel the way back", "确认继续拦截"), SECURITY, (AREA,), act=True),
    Operation(
        "area.observe", Text("record only, block nothing", "只记录，不拦截"), SECURITY, (AREA,), act=True, gives=True
    ),
    Operation(
        "area.seal",
        Text(
            "from now on nobody gets into a file without a label on its volume (the agent does it by itself)",
            "此后其所在卷上没有标记的文件任何人均不能打开（代理会自动执行）",
        ),
        OFFICERS,
        (AREA,),
        act=True,
    ),
    Operation(
        "area.labels",
        Text(
            "count the labels below a path, and name those that keep everybody out",
            "统计路径下的标记，列出致使无人能打开者",
        ),
        SECURITY | AUDITOR,
        (BELOW,),
        stream=True,
    ),
    Operation(
        "area.relabel",
        Text(
            "label by its place what lost its label, or has one of no area, below a path",
            "对路径下失去标记或标记无效的对象按其位置重新标记",
        ),
        SECURITY,
        (BELOW,),
        act=True,
        gives=True,
    ),
    Operation(
        "area.relabelling",
        Text("follow a request to label again", "查看重新标记的进度"),
        SECURITY,
        (Param("request", "number", Text("number of the request", "请求编号"), required=True, positional=True),),
        stream=True,
    ),
    Operation(
        "area.remove", Text("end the protection of an area", "解除目录保护"), SECURITY, (AREA,), act=True, gives=True
    ),
)
