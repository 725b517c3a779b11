"""Operations of the break-glass 应急开启: a sealed code by which root restores the offices of a site.

The code is made by two officers and kept in an envelope. Opened, it lets root alone do what stands in
:data:`MEANWHILE` for an hour, each of it marked and in the log; nobody can open or enter more by it. Root decides by it
who the officers are.
"""

from agent.api.operations.schema import ANY, EVERYBODY, OFFICERS, Operation, Param
from rules.text import Text

MEANWHILE = frozenset(["role.set", "account.add", "hold.lift", "case.release", "grant.end", "breakglass.close"])
"""Acts that root does with one hand while the glass is broken: each restores an office.

One by which somebody could open or enter more is refused all the same.
"""

OPERATIONS = (
    Operation(
        "breakglass.seal",
        Text("make the code of the break-glass, shown once: print it, seal it", "生成应急代码（仅显示一次，请封存）"),
        OFFICERS,
        act=True,
        gives=True,
    ),
    Operation(
        "breakglass.open",
        Text(
            "break the glass: root restores offices for an hour, loudly; the code is used up",
            "应急开启：root 一小时内可恢复三员，全程报警留痕；代码随即作废",
        ),
        EVERYBODY,
        (
            Param("code", "text", Text("the code in the envelope", "封存的代码"), required=True, secret=True),
            Param("reason", "text", Text("why", "理由"), required=True),
        ),
        act=True,
    ),
    Operation(
        "breakglass.close",
        Text("end it before its hour is over", "提前结束应急状态"),
        EVERYBODY,
        (Param("reason", "text", Text("why", "理由"), required=True),),
        act=True,
    ),
    Operation("breakglass.show", Text("show whether a code is sealed, or the glass broken", "查看应急代码与状态"), ANY),
)
