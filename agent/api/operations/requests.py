"""Operations of people without a role: asking for access, their own denials, and what waits for their word.

Whoever asks is the person of the calling account, whatever anybody types. Asking gives nothing: the head of the
department supports it, an officer takes it up as a proposal of their own, and another one confirms.
"""

from agent.api.operations.schema import EVERYBODY, Operation, Param
from rules.text import Text

OPERATIONS = (
    Operation(
        "request.add",
        Text("ask for an area or a room under one's own account", "以本人账号申请访问目录或进入场所"),
        EVERYBODY,
        (
            Param(
                "area", "text", Text("area or room", "目录或场所名称"), required=True, positional=True, metavar="AREA"
            ),
            Param("reason", "text", Text("what it is needed for", "申请理由"), required=True),
            Param("until", "until", Text("to, that day included", "截止（含当日）"), metavar="TIME"),
        ),
        act=True,
    ),
    Operation(
        "request.mine",
        Text(
            "show one's own requests and denials, whom to ask, and what waits for one's support",
            "查看本人的申请、被拒绝的访问、可找谁办理，以及待本人支持的申请",
        ),
        EVERYBODY,
    ),
    Operation(
        "request.support",
        Text("support a request as the head of the department or the custodian", "以部门负责人或责任人身份支持申请"),
        EVERYBODY,
        (
            Param(
                "proposal",
                "text",
                Text("number of the request", "申请编号"),
                required=True,
                positional=True,
                metavar="PROPOSAL",
            ),
        ),
        act=True,
    ),
)
