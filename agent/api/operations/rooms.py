"""Operations on rooms 涉密场所: what each asks, who is inside, alarms, lockdowns.

The system administrator registers a room, which can only refuse people. Whatever loosens it is the security officer's.
Any of the two locks down at once; only the security officer opens again, and says why.
"""

from agent.api.operations.areas import SCOPE
from agent.api.operations.room_fields import ROOM_FIELDS
from agent.api.operations.schema import ANY, OFFICERS, SECURITY, SYSTEM, Operation, Param
from rules.text import Text

ROOM = Param("room", "text", Text("name of a room", "场所名称"), required=True, positional=True, metavar="ROOM")
SOME_ROOM = Param("room", "text", Text("only this room", "只看该场所"), positional=True, metavar="ROOM")
REASON = Param("reason", "text", Text("why", "理由"), required=True)
ALL = Param("all", "flag", Text("also what is over", "包括已结束的"))
_KEEP = Param(
    "keep", "texts", Text("an area that is kept in it; may be repeated", "存放于此的目录；可重复"), metavar="AREA"
)
_FIELDS = tuple(field.param for field in ROOM_FIELDS)

OPERATIONS = (
    Operation(
        "room.add",
        Text("register a room", "登记场所"),
        SYSTEM,
        (
            Param("room", "text", Text("name of the room", "名称"), required=True, positional=True, metavar="ROOM"),
            Param("level", "level", Text("its level", "密级"), required=True),
            Param("domain", "text", Text("its domain", "秘密种类"), required=True),
            *SCOPE,
            *_FIELDS,
            _KEEP,
        ),
        act=True,
    ),
    Operation(
        "room.set",
        Text("change a room's level, scope, or what it asks", "修改场所的密级、知悉范围或进入要求"),
        SECURITY,
        (
            ROOM,
            Param("level", "level", Text("its level", "密级")),
            Param("domain", "text", Text("its domain", "秘密种类")),
            *SCOPE,
            *_FIELDS,
            _KEEP,
            Param("unkeep", "texts", Text("an area kept there no longer", "不再存放于此的目录"), metavar="AREA"),
        ),
        act=True,
    ),
    Operation("room.show", Text("show one room, its doors and who is inside", "查看场所、门及室内人员"), ANY, (ROOM,)),
    Operation("room.list", Text("list rooms", "列出场所"), ANY, stream=True),
    Operation(
        "room.remove",
        Text("remove a room without doors; its grants end", "移除场所（须先移除其门）；授权随之终止"),
        SECURITY,
        (ROOM,),
        act=True,
    ),
    Operation(
        "room.host",
        Text("say in which room this machine stands", "登记本机所在场所"),
        SECURITY,
        (Param("room", "text", Text("the room; none if absent", "场所；不写则为无"), positional=True, metavar="ROOM"),),
        act=True,
        gives=True,
    ),
    Operation("occupancy.list", Text("who is inside", "室内人员"), ANY, (SOME_ROOM,), stream=True),
    Operation(
        "occupancy.reset",
        Text("say that somebody, or everybody, is not inside", "更正：某人或全部人员不在室内"),
        SECURITY,
        (
            ROOM,
            Param("person", "text", Text("only this person", "仅该人员"), positional=True, metavar="PERSON"),
            REASON,
        ),
        act=True,
    ),
    Operation("alarm.list", Text("list alarms", "列出报警"), ANY, (SOME_ROOM, ALL), stream=True),
    Operation(
        "alarm.ack",
        Text("acknowledge an alarm", "确认报警"),
        OFFICERS,
        (
            Param("alarm", "text", Text("its number", "报警编号"), required=True, positional=True, metavar="ALARM"),
            Param("note", "text", Text("what was found", "处理说明"), required=True),
        ),
        act=True,
    ),
    Operation(
        "lockdown.on",
        Text("nobody enters a room, or any room, from now", "封控场所或全单位：禁止进入"),
        OFFICERS,
        (
            Param(
                "room",
                "text",
                Text("the room; the site if absent", "场所；不写则为全单位"),
                positional=True,
                metavar="ROOM",
            ),
            REASON,
        ),
        act=True,
    ),
    Operation(
        "lockdown.off",
        Text("lift a lockdown", "解除封控"),
        SECURITY,
        (
            Param(
                "room",
                "text",
                Text("the room; the site if absent", "场所；不写则为全单位"),
                positional=True,
                metavar="ROOM",
            ),
            REASON,
        ),
        act=True,
        gives=True,
    ),
    Operation("lockdown.list", Text("list lockdowns", "列出封控"), ANY, (ALL,), stream=True),
)
