"""Operations of the break-glass procedure 应急代码: a sealed code with which root restores the officers of a site.

Two officers make the code and keep it in an envelope. Once used, it lets root alone perform the acts in
:data:`MEANWHILE` for one hour; each is marked in the log, and no act that would let anyone open or enter more is
accepted. Root decides with it who the officers are.
"""

from agent.api.operations.schema import ANY, EVERYBODY, OFFICERS, Operation, Param
from rules.text import Message

MEANWHILE = frozenset(["role.set", "account.add", "hold.lift", "case.release", "grant.end", "breakglass.close"])
"""Acts that root may perform alone in the break-glass period: each restores an officer.

An act by which anyone could open or enter more is still refused.
"""

OPERATIONS = (
    Operation(
        "breakglass.seal",
        Message("operations.seal-break-glass"),
        OFFICERS,
        act=True,
        gives=True,
    ),
    Operation(
        "breakglass.open",
        Message("operations.open-break-glass"),
        EVERYBODY,
        (
            Param("code", "text", Message("operations.break-glass-code"), required=True, secret=True),
            Param("reason", "text", Message("operations.reason"), required=True),
        ),
        act=True,
    ),
    Operation(
        "breakglass.close",
        Message("operations.close-break-glass"),
        EVERYBODY,
        (Param("reason", "text", Message("operations.reason"), required=True),),
        act=True,
    ),
    Operation("breakglass.show", Message("operations.show-break-glass"), ANY),
)
