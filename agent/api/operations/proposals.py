"""Operations on proposals 提议: acts that give access, waiting for a second hand.

Whatever gives access is called as ever, and answers with the number of a proposal. Another officer looks at what it
would change and confirms. A proposal takes nothing from anybody, so each officer may refuse it alone.
"""

from agent.api.operations.schema import ANY, OFFICERS, Operation, Param
from rules.text import Text

_PROPOSAL = Param(
    "proposal", "text", Text("number of a proposal", "提议编号"), required=True, positional=True, metavar="PROPOSAL"
)

OPERATIONS = (
    Operation(
        "proposal.add",
        Text("keep an act until a second officer confirms it (the agent itself)", "保存待确认的操作（仅代理自身）"),
        OFFICERS,
        (
            Param("act", "text", Text("the operation, as in grant.add", "操作名，如 grant.add"), required=True),
            Param("given", "text", Text("its arguments, a JSON object", "其参数（JSON 对象）"), required=True),
            Param("takes_up", "text", Text("the request it comes from", "所受理的申请编号")),
        ),
        act=True,
    ),
    Operation(
        "proposal.list",
        Text("list what waits for a second officer", "列出待确认的提议"),
        ANY,
        (Param("all", "flag", Text("also what is over", "包括已结束的")),),
        stream=True,
    ),
    Operation(
        "proposal.show",
        Text("show a proposal, and what it would change if it were confirmed now", "查看提议及现在确认的后果"),
        ANY,
        (_PROPOSAL,),
        rehearses=True,
    ),
    Operation(
        "proposal.confirm",
        Text("confirm a proposal as the second officer: it takes effect", "以第二人身份确认提议，随即生效"),
        OFFICERS,
        (
            _PROPOSAL,
            Param(
                "seen",
                "text",
                Text("what was seen, as `proposal show` prints it", "`proposal show` 显示的摘要"),
                metavar="CODE",
            ),
        ),
        act=True,
    ),
    Operation(
        "proposal.refuse",
        Text("refuse a proposal, or withdraw one's own", "否决提议，或撤回本人的提议"),
        OFFICERS,
        (_PROPOSAL, Param("reason", "text", Text("why", "理由"), required=True)),
        act=True,
    ),
    Operation(
        "proposal.lapse",
        Text("end a proposal whose time is over (the agent itself)", "终止过期的提议（仅代理自身）"),
        OFFICERS,
        (_PROPOSAL,),
        act=True,
    ),
)
