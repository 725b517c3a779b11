"""Operations that answer a question: why, what if, and what happened.

The log is the auditor's; asking for it is itself an entry.
"""

from agent.api.operations.people import PERSON
from agent.api.operations.schema import ANY, AUDITOR, Operation, Param
from rules.text import Text

_TARGET = Param(
    "target",
    "target",
    Text("a path, or the name of an area or room", "路径，或目录、场所名称"),
    required=True,
    positional=True,
)
_AT_A_DOOR = (
    Param("with", "texts", Text("who shows a badge too, at a room", "同时刷卡的人员（场所）"), metavar="PERSON"),
    Param("purpose", "text", Text("as if stated for a room", "假设已说明事由（场所）")),
)
_AT = Param("at", "since", Text("as of this time; now if absent", "以此时刻为准；默认现在"), metavar="TIME")
_FILTER = (
    Param("person", "text", Text("this person, as user or at login", "该人员（使用或登录）")),
    Param("area", "text", Text("this area or room", "该目录或场所")),
    Param("verdict", "text", Text("this verdict", "判定结果"), choices=("allow", "deny")),
    Param("kind", "text", Text("this kind of entry (access, act, start …)", "条目种类（access、act、start……）")),
    Param("rule", "text", Text("decided by this rule", "判定依据的规则")),
    Param(
        "own",
        "text",
        Text(
            "what the agent tried itself too, nothing else, or none of it (if absent)",
            "代理自身的试探：一并列出、仅列出，或不列出（默认）",
        ),
        choices=("all", "yes", "no"),
        bare="all",
    ),
    Param("since", "since", Text("from this time", "起始时间"), metavar="TIME"),
    Param("until", "until", Text("to this time", "截止时间"), metavar="TIME"),
    Param("text", "text", Text("part of the path", "路径的一部分")),
)
_READING = Param("reading", "text", Text("what log.read answered", "log.read 的返回值"), required=True)

OPERATIONS = (
    Operation(
        "explain",
        Text(
            "say whether a person may open a path or enter a room, and why", "说明某人能否打开某路径或进入某场所及原因"
        ),
        ANY,
        (PERSON, _TARGET, _AT, *_AT_A_DOOR),
    ),
    Operation(
        "what-if",
        Text("ask the same with changes that are not made", "在假设的变更下回答同样的问题（不作任何修改）"),
        ANY,
        (
            PERSON,
            _TARGET,
            _AT,
            *_AT_A_DOOR,
            Param(
                "level",
                "levels",
                Text("as if cleared: LEVEL or DOMAIN=LEVEL", "假设密级：“密级”或“种类=密级”"),
                metavar="LEVEL",
            ),
            Param("domain", "text", Text("domain of a level that names none", "密级未写种类时所属的秘密种类")),
            Param("department", "text", Text("as if in this department", "假设所属部门")),
            Param("project", "texts", Text("as if also in this project", "假设另属该项目")),
            Param("grant", "flag", Text("as if granted", "假设已授权")),
            Param("temporary", "flag", Text("as if granted temporarily", "假设已临时授权")),
            Param("end_grants", "flag", Text("as if every grant had ended", "假设授权全部终止")),
            Param("hold", "flag", Text("as if on hold", "假设被停权")),
            Param("lift_holds", "flag", Text("as if no hold", "假设停权已解除")),
            Param("record", "texts", Text("as if this record were made now", "假设现有该种档案"), metavar="KIND"),
            Param("no_record", "texts", Text("as if no such record", "假设无该种档案"), metavar="KIND"),
        ),
    ),
    Operation(
        "log.list",
        Text("list entries, newest first", "列出日志条目，最新在前"),
        AUDITOR,
        (
            *_FILTER,
            Param("limit", "number", Text("at most this many (default 100)", "最多条数（默认 100）")),
            Param("before", "number", Text("entries before this number", "序号小于此数"), metavar="SEQ"),
            Param("after", "number", Text("entries after this number", "序号大于此数"), metavar="SEQ"),
            Param(
                "hidden",
                "flag",
                Text("end with how many attempts of the agent's own were left out", "最后给出略去的代理自身试探的条数"),
            ),
        ),
        stream=True,
        read_entry=True,
    ),
    Operation(
        "log.read",
        Text("begin to read entries page by page; this is recorded", "开始逐页阅读日志；此举会被记录"),
        AUDITOR,
        _FILTER,
        read_entry=True,
    ),
    Operation(
        "log.page",
        Text(
            "turn to a page of a reading: its newest entries between two numbers",
            "阅读中的一页：两个序号之间最新的条目",
        ),
        AUDITOR,
        (
            _READING,
            Param("first", "number", Text("not before this number", "起始序号"), metavar="SEQ"),
            Param("last", "number", Text("not after this number", "截止序号"), metavar="SEQ"),
            Param("limit", "number", Text("at most this many (default 100)", "最多条数（默认 100）")),
        ),
    ),
    Operation(
        "log.numbers",
        Text(
            "the numbers of a reading's entries, newest first, as base64 of 64-bit little-endian integers",
            "阅读所含条目的序号，最新在前，为 64 位小端整数的 base64",
        ),
        AUDITOR,
        (
            _READING,
            Param("after", "number", Text("entries after this number", "序号大于此数"), metavar="SEQ"),
            Param("before", "number", Text("entries before this number", "序号小于此数"), metavar="SEQ"),
            Param("until", "until", Text("entries before this time", "早于此时刻"), metavar="TIME"),
            Param("limit", "number", Text("at most this many", "最多条数")),
            Param(
                "own",
                "flag",
                Text(
                    "of the agent's own attempts, which the reading leaves out", "改为本次阅读略去的代理自身试探的序号"
                ),
            ),
        ),
    ),
    Operation(
        "log.room",
        Text("who was inside a room, and what they opened meanwhile", "某时段室内人员及其间打开的文件"),
        AUDITOR,
        (
            Param("room", "text", Text("the room", "场所"), required=True, positional=True, metavar="ROOM"),
            Param(
                "during",
                "text",
                Text("FROM..TO: dates or times", "起..止：日期或时刻"),
                required=True,
                metavar="FROM..TO",
            ),
        ),
        stream=True,
        read_entry=True,
    ),
    Operation(
        "log.follow",
        Text("show entries as they are written", "实时显示新条目"),
        AUDITOR,
        (
            Param(
                "after",
                "number",
                Text("start after this number; now if absent", "从该序号之后开始；默认现在"),
                metavar="SEQ",
            ),
        ),
        stream=True,
        read_entry=True,
    ),
    Operation(
        "log.show",
        Text("show one entry, byte for byte", "查看一个条目（逐字节）"),
        AUDITOR,
        (Param("seq", "number", Text("its number", "序号"), required=True, positional=True, metavar="SEQ"),),
        read_entry=True,
    ),
    Operation("log.verify", Text("check that no entry is missing or damaged", "检查条目是否缺失或损坏"), ANY),
)
