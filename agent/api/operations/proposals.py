"""Operations on proposals 待复核事项: acts that give access and wait for a second officer.

An act that gives access is called as usual and answers with the number of a proposal. Another officer reviews what it
would change and confirms it. A proposal revokes nothing, so each officer may refuse it alone.
"""

from agent.api.operations.schema import ANY, OFFICERS, Operation, Param
from rules.text import Message

_PROPOSAL = Param(
    "proposal", "text", Message("operations.proposal-number"), required=True, positional=True, metavar="PROPOSAL"
)

OPERATIONS = (
    Operation(
        "proposal.add",
        Message("operations.add-proposal"),
        OFFICERS,
        (
            Param("act", "text", Message("operations.operation-to-propose"), required=True),
            Param("given", "text", Message("operations.act-arguments"), required=True),
            Param("takes_up", "text", Message("operations.request-taken-up")),
        ),
        act=True,
    ),
    Operation(
        "proposal.list",
        Message("operations.list-proposals"),
        ANY,
        (Param("all", "flag", Message("operations.ended-too")),),
        stream=True,
    ),
    Operation(
        "proposal.show",
        Message("operations.show-proposal"),
        ANY,
        (_PROPOSAL,),
        rehearses=True,
    ),
    Operation(
        "proposal.confirm",
        Message("operations.confirm-proposal"),
        OFFICERS,
        (
            _PROPOSAL,
            Param(
                "seen",
                "text",
                Message("operations.seen-code"),
                metavar="CODE",
            ),
        ),
        act=True,
    ),
    Operation(
        "proposal.refuse",
        Message("operations.refuse-proposal"),
        OFFICERS,
        (_PROPOSAL, Param("reason", "text", Message("operations.reason"), required=True)),
        act=True,
    ),
    Operation(
        "proposal.lapse",
        Message("operations.lapse-proposal"),
        OFFICERS,
        (_PROPOSAL,),
        act=True,
    ),
)
