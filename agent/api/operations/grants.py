"""Operations that give and take access: grants 授权 and holds 停权. All are the security officer's."""

from agent.api.operations.people import PAPER, PAPER_DATE, PERSON
from agent.api.operations.schema import ANY, OFFICERS, SECURITY, Operation, Param
from rules.text import Text

_PLACE = Param(
    "area", "text", Text("name of an area or room", "目录或场所名称"), required=True, positional=True, metavar="AREA"
)
_REASON = Param("reason", "text", Text("why", "理由"), required=True)
_ONLY_PERSON = Param("person", "text", Text("only this person", "只看该人员"), metavar="PERSON")
_ALL = Param("all", "flag", Text("ended ones too", "包括已结束的"))

OPERATIONS = (
    Operation(
        "grant.add",
        Text("grant a person an area or room", "授权人员访问目录或进入场所"),
        SECURITY,
        (
            PERSON,
            _PLACE,
            _REASON,
            Param("since", "since", Text("from; now if absent", "起始；默认现在"), metavar="TIME"),
            Param(
                "until",
                "until",
                Text("to, that day included; no end if absent", "截止（含当日）；默认不限"),
                metavar="TIME",
            ),
            Param("temporary", "flag", Text("stands in for the level; must end", "临时授权：代替密级，必须有期限")),
            Param(
                "approver",
                "text",
                Text("who approved it on paper", "审批人（纸质审批）"),
                metavar="PERSON",
            ),
            PAPER,
            PAPER_DATE,
        ),
        act=True,
        gives=True,
    ),
    Operation(
        "grant.end",
        Text(
            "end a grant, or all of a person in an area or room", "终止授权（按编号，或某人对某目录、场所的全部授权）"
        ),
        SECURITY,
        (
            Param(
                "grant",
                "text",
                Text("id of a grant, or a person", "授权编号或人员编号"),
                required=True,
                positional=True,
            ),
            Param(
                "area",
                "text",
                Text("the area or room, with a person", "目录或场所名称（与人员编号同用）"),
                positional=True,
            ),
            Param("reason", "text", Text("why", "理由")),
        ),
        act=True,
    ),
    Operation(
        "act.plan",
        Text("what an act would take from whom, and what would end with it", "预演一项操作会取消谁的权限、结束什么"),
        OFFICERS,
        (
            Param("act", "text", Text("the operation, as in grant.end", "操作名，如 grant.end"), required=True),
            Param("given", "text", Text("its arguments, a JSON object", "其参数（JSON 对象）"), required=True),
        ),
        rehearses=True,
    ),
    Operation(
        "grant.list",
        Text("list grants", "列出授权"),
        ANY,
        (_ONLY_PERSON, Param("area", "text", Text("only this area or room", "只看该目录或场所"), metavar="AREA"), _ALL),
        stream=True,
    ),
    Operation(
        "hold.add",
        Text("stop a person at once, everywhere", "立即停权"),
        SECURITY,
        (PERSON, _REASON),
        act=True,
    ),
    Operation(
        "hold.lift",
        Text(
            "lift every hold on a person; two officers after a rescission", "解除某人的全部停权；撤销离岗后须两名管理员"
        ),
        SECURITY,
        (PERSON, _REASON),
        act=True,
        gives=True,
    ),
    Operation(
        "hold.plan",
        Text("show what a hold would end now; nothing is touched", "预览停权将终止的事项（不作更改）"),
        ANY,
        (PERSON,),
    ),
    Operation(
        "hold.receipt",
        Text("show the signed receipt of a hold: what it ended", "查看停权回执：终止了哪些事项"),
        ANY,
        (
            Param(
                "person",
                "text",
                Text("person, or number of the hold", "人员编号或停权编号"),
                required=True,
                positional=True,
            ),
        ),
    ),
    Operation("hold.list", Text("list holds", "列出停权"), ANY, (_ONLY_PERSON, _ALL), stream=True),
)
