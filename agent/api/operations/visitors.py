"""Operations on who comes and with what: visitors 来访, declarations 进入申报, PINs 密码.

Registering a visit admits a person, so it belongs to the security officer; both officers may end one.
"""

from agent.api.operations.people import PERSON, SOME_PERSON
from agent.api.operations.rooms import ALL, ROOM
from agent.api.operations.schema import ANY, OFFICERS, SECURITY, SYSTEM, Operation, Param
from rules.text import Message

_VISIT = Param("visit", "text", Message("operations.visit-or-visitor"), required=True, positional=True)
_SINCE = Param("since", "since", Message("operations.from-now"), metavar="TIME")
_IN = Param("room", "text", Message("operations.only-room"), metavar="ROOM")

OPERATIONS = (
    Operation(
        "visitor.add",
        Message("operations.register-visit"),
        SECURITY,
        (
            Param(
                "person",
                "text",
                Message("operations.visitor-id"),
                required=True,
                positional=True,
                metavar="ID",
            ),
            Param("name", "text", Message("operations.display-name")),
            Param("room", "text", Message("operations.room-name"), required=True),
            Param("host", "text", Message("operations.host"), required=True, metavar="PERSON"),
            Param("escort", "text", Message("operations.escort"), metavar="PERSON"),
            Param("purpose", "text", Message("operations.visit-purpose"), required=True),
            _SINCE,
            Param("until", "until", Message("operations.until-end-of-day"), metavar="TIME"),
            Param("badge", "text", Message("operations.visitor-card-number"), metavar="NUMBER"),
        ),
        act=True,
        gives=True,
    ),
    Operation("visitor.list", Message("operations.list-visits"), ANY, (SOME_PERSON, _IN, ALL), stream=True),
    Operation(
        "visitor.exit",
        Message("operations.visitor-left"),
        OFFICERS,
        (_VISIT, Param("badge_lost", "flag", Message("operations.visitor-badge-missing"))),
        act=True,
    ),
    Operation("visitor.end", Message("operations.end-visit"), OFFICERS, (_VISIT,), act=True),
    Operation(
        "declaration.add",
        Message("operations.add-declaration"),
        SECURITY,
        (
            PERSON,
            ROOM,
            Param("purpose", "text", Message("operations.visit-purpose")),
            Param("devices", "text", Message("operations.devices-carried")),
            Param("no_devices", "flag", Message("operations.no-devices-carried")),
            _SINCE,
            Param("until", "until", Message("operations.until-end-of-day"), metavar="TIME"),
        ),
        act=True,
    ),
    Operation("declaration.list", Message("operations.list-declarations"), ANY, (SOME_PERSON, _IN, ALL), stream=True),
    Operation(
        "declaration.end",
        Message("operations.end-declaration"),
        OFFICERS,
        (
            Param(
                "declaration",
                "text",
                Message("operations.declaration-number"),
                required=True,
                positional=True,
                metavar="DECLARATION",
            ),
        ),
        act=True,
    ),
    Operation(
        "pin.set",
        Message("operations.set-pin"),
        SYSTEM,
        (
            PERSON,
            Param("pin", "text", Message("operations.new-pin"), required=True, secret=True),
            Param("duress", "text", Message("operations.duress-pin"), secret=True),
        ),
        act=True,
        gives=True,
    ),
    Operation("pin.remove", Message("operations.delete-pin"), OFFICERS, (PERSON,), act=True),
    Operation("pin.list", Message("operations.list-pins"), ANY, (SOME_PERSON,), stream=True),
)
