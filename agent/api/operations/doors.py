"""Operations on doors 门.

Wiring and keys belong to the system administrator; a release without a badge belongs to the security officer.
"""

from agent.api.operations.rooms import REASON
from agent.api.operations.schema import ANY, SECURITY, SYSTEM, Operation, Param
from rules.text import Message

DOOR = Param("door", "text", Message("common.name-door"), required=True, positional=True, metavar="DOOR")
_SIDE = Param(
    "side",
    "text",
    Message("operations.reader-side"),
    choices=("in", "out"),
)
_OUT = Param("exit_reader", "texts", Message("operations.exit-reader"), metavar="ADDRESS")
_WIRING = (
    Param(
        "strike",
        "text",
        Message("operations.strike-device"),
        metavar="ADDRESS",
    ),
    Param("output", "number", Message("operations.device-output"), metavar="N"),
    Param("seconds", "number", Message("operations.release-seconds")),
    Param("contact", "text", Message("operations.door-contact"), choices=("yes", "no")),
)

OPERATIONS = (
    Operation(
        "door.add",
        Message("operations.register-door"),
        SYSTEM,
        (
            DOOR,
            Param("room", "text", Message("operations.door-room"), required=True),
            Param(
                "reader",
                "texts",
                Message("operations.entry-reader"),
                required=True,
                metavar="ADDRESS",
            ),
            _OUT,
            *_WIRING,
        ),
        act=True,
        gives=True,
    ),
    Operation(
        "door.set",
        Message("operations.change-door"),
        SYSTEM,
        (
            DOOR,
            Param("reader", "texts", Message("operations.entry-readers"), metavar="ADDRESS"),
            _OUT,
            *_WIRING,
        ),
        act=True,
        gives=True,
    ),
    Operation("door.show", Message("operations.show-door"), ANY, (DOOR,)),
    Operation(
        "door.list",
        Message("operations.list-doors"),
        ANY,
        (Param("room", "text", Message("operations.only-room"), positional=True, metavar="ROOM"),),
        stream=True,
    ),
    Operation("door.remove", Message("common.remove-door"), SYSTEM, (DOOR,), act=True),
    Operation(
        "door.listen",
        Message("operations.set-event-address"),
        SYSTEM,
        (
            Param(
                "address",
                "text",
                Message("operations.event-address"),
                positional=True,
                metavar="ADDRESS",
            ),
        ),
        act=True,
    ),
    Operation("door.test", Message("operations.test-door"), SYSTEM, (DOOR,)),
    Operation(
        "door.open",
        Message("operations.release-door"),
        SECURITY,
        (DOOR, REASON),
        act=True,
        gives=True,
    ),
    Operation(
        "door.commission",
        Message("common.give-new-reader-key"),
        SYSTEM,
        (DOOR, _SIDE),
        act=True,
    ),
    Operation("door.rotate-key", Message("common.give-reader-another-key"), SYSTEM, (DOOR, _SIDE), act=True),
    Operation(
        "door.outcome",
        Message("operations.wait-door-command"),
        ANY,
        (Param("ticket", "text", Message("operations.command-number"), required=True, positional=True),),
    ),
    Operation("door.cards", Message("operations.board-cards"), ANY, stream=True),
)
