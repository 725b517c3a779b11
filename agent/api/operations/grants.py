"""Operations that give and revoke access: grants 授权 and holds 停权. All acts belong to the security officer."""

from agent.api.operations.people import PAPER, PAPER_DATE, PERSON
from agent.api.operations.schema import ANY, OFFICERS, SECURITY, Operation, Param
from rules.text import Message

_PLACE = Param("area", "text", Message("operations.area-or-room-name"), required=True, positional=True, metavar="AREA")
_REASON = Param("reason", "text", Message("operations.reason"), required=True)
_ONLY_PERSON = Param("person", "text", Message("operations.only-person"), metavar="PERSON")
_ALL = Param("all", "flag", Message("operations.ended-too"))

OPERATIONS = (
    Operation(
        "grant.add",
        Message("operations.add-grant"),
        SECURITY,
        (
            PERSON,
            _PLACE,
            _REASON,
            Param("since", "since", Message("operations.from-now"), metavar="TIME"),
            Param(
                "until",
                "until",
                Message("operations.until-inclusive-or-none"),
                metavar="TIME",
            ),
            Param("temporary", "flag", Message("operations.temporary-grant")),
            Param(
                "approver",
                "text",
                Message("operations.paper-approver"),
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
        Message("operations.end-grants"),
        SECURITY,
        (
            Param(
                "grant",
                "text",
                Message("operations.grant-or-person-id"),
                required=True,
                positional=True,
            ),
            Param(
                "area",
                "text",
                Message("operations.area-or-room-with-person"),
                positional=True,
            ),
            Param("reason", "text", Message("operations.reason")),
        ),
        act=True,
    ),
    Operation(
        "act.plan",
        Message("operations.plan-act"),
        OFFICERS,
        (
            Param("act", "text", Message("operations.operation-to-plan"), required=True),
            Param("given", "text", Message("operations.act-arguments"), required=True),
        ),
        rehearses=True,
    ),
    Operation(
        "grant.list",
        Message("operations.list-grants"),
        ANY,
        (_ONLY_PERSON, Param("area", "text", Message("operations.only-area-room"), metavar="AREA"), _ALL),
        stream=True,
    ),
    Operation(
        "hold.add",
        Message("operations.add-hold"),
        SECURITY,
        (PERSON, _REASON),
        act=True,
    ),
    Operation(
        "hold.lift",
        Message("operations.lift-holds"),
        SECURITY,
        (PERSON, _REASON),
        act=True,
        gives=True,
    ),
    Operation(
        "hold.plan",
        Message("operations.plan-hold"),
        ANY,
        (PERSON,),
    ),
    Operation(
        "hold.receipt",
        Message("operations.show-hold-receipt"),
        ANY,
        (
            Param(
                "person",
                "text",
                Message("operations.person-or-hold"),
                required=True,
                positional=True,
            ),
        ),
    ),
    Operation("hold.list", Message("operations.list-holds"), ANY, (_ONLY_PERSON, _ALL), stream=True),
)
