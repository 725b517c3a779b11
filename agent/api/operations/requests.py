"""Operations of people without a role: access requests, their own denials, and requests that wait for their support.

The applicant is always the person of the calling account. A request gives nothing: the head of the department supports
it, an officer takes it up as a proposal of their own, and another officer confirms it.
"""

from agent.api.operations.schema import EVERYBODY, Operation, Param
from rules.text import Message

OPERATIONS = (
    Operation(
        "request.add",
        Message("operations.request-access"),
        EVERYBODY,
        (
            Param(
                "area", "text", Message("operations.area-or-room-name"), required=True, positional=True, metavar="AREA"
            ),
            Param("reason", "text", Message("operations.request-reason"), required=True),
            Param("until", "until", Message("operations.until-inclusive"), metavar="TIME"),
        ),
        act=True,
    ),
    Operation(
        "request.mine",
        Message("operations.show-own-requests"),
        EVERYBODY,
    ),
    Operation(
        "request.support",
        Message("operations.support-request"),
        EVERYBODY,
        (
            Param(
                "proposal",
                "text",
                Message("operations.request-number"),
                required=True,
                positional=True,
                metavar="PROPOSAL",
            ),
        ),
        act=True,
    ),
)
