"""Operations on secure rooms 涉密场所: entry requirements, presence, alarms and lockdowns.

The system administrator registers a room, which can only reduce access; only the security officer may loosen it.
Either may lock down at once; only the security officer may lift a lockdown, with a reason.
"""

from agent.api.operations.areas import SCOPE
from agent.api.operations.room_fields import ROOM_FIELDS
from agent.api.operations.schema import ANY, OFFICERS, SECURITY, SYSTEM, Operation, Param
from rules.text import Message

ROOM = Param("room", "text", Message("operations.room-name"), required=True, positional=True, metavar="ROOM")
SOME_ROOM = Param("room", "text", Message("operations.only-room"), positional=True, metavar="ROOM")
REASON = Param("reason", "text", Message("operations.reason"), required=True)
ALL = Param("all", "flag", Message("operations.ended-too"))
_KEEP = Param("keep", "texts", Message("operations.area-in-room"), metavar="AREA")
_FIELDS = tuple(field.param for field in ROOM_FIELDS)

OPERATIONS = (
    Operation(
        "room.add",
        Message("common.register-room"),
        SYSTEM,
        (
            Param("room", "text", Message("operations.room-name"), required=True, positional=True, metavar="ROOM"),
            Param("level", "level", Message("operations.level"), required=True),
            Param("domain", "text", Message("operations.domain"), required=True),
            *SCOPE,
            *_FIELDS,
            _KEEP,
        ),
        act=True,
    ),
    Operation(
        "room.set",
        Message("operations.change-room"),
        SECURITY,
        (
            ROOM,
            Param("level", "level", Message("operations.level")),
            Param("domain", "text", Message("operations.domain")),
            *SCOPE,
            *_FIELDS,
            _KEEP,
            Param("unkeep", "texts", Message("operations.area-not-in-room"), metavar="AREA"),
        ),
        act=True,
    ),
    Operation("room.show", Message("operations.show-room"), ANY, (ROOM,)),
    Operation("room.list", Message("operations.list-rooms"), ANY, stream=True),
    Operation(
        "room.remove",
        Message("common.remove-room-help"),
        SECURITY,
        (ROOM,),
        act=True,
    ),
    Operation(
        "room.host",
        Message("operations.set-host-room"),
        SECURITY,
        (Param("room", "text", Message("operations.room-or-none"), positional=True, metavar="ROOM"),),
        act=True,
        gives=True,
    ),
    Operation("occupancy.list", Message("common.people-inside"), ANY, (SOME_ROOM,), stream=True),
    Operation(
        "occupancy.reset",
        Message("operations.clear-occupancy"),
        SECURITY,
        (
            ROOM,
            Param("person", "text", Message("operations.only-person"), positional=True, metavar="PERSON"),
            REASON,
        ),
        act=True,
    ),
    Operation("alarm.list", Message("operations.list-alarms"), ANY, (SOME_ROOM, ALL), stream=True),
    Operation(
        "alarm.ack",
        Message("operations.acknowledge-alarm"),
        OFFICERS,
        (
            Param("alarm", "text", Message("operations.alarm-number"), required=True, positional=True, metavar="ALARM"),
            Param("note", "text", Message("operations.alarm-note"), required=True),
        ),
        act=True,
    ),
    Operation(
        "lockdown.on",
        Message("operations.lock-down"),
        OFFICERS,
        (
            Param(
                "room",
                "text",
                Message("operations.room-or-site"),
                positional=True,
                metavar="ROOM",
            ),
            REASON,
        ),
        act=True,
    ),
    Operation(
        "lockdown.off",
        Message("operations.lift-lockdown"),
        SECURITY,
        (
            Param(
                "room",
                "text",
                Message("operations.room-or-site"),
                positional=True,
                metavar="ROOM",
            ),
            REASON,
        ),
        act=True,
        gives=True,
    ),
    Operation("lockdown.list", Message("operations.list-lockdowns"), ANY, (ALL,), stream=True),
)
