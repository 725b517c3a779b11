"""Operations on who comes and with what: visitors 来访, declarations 进入申报, PINs 密码.

Registering a visit lets somebody in, so it is the security officer's; ending one is open to both who can only deny.
"""

from agent.api.operations.people import PERSON, SOME_PERSON
from agent.api.operations.rooms import ALL, ROOM
from agent.api.operations.schema import ANY, OFFICERS, SECURITY, SYSTEM, Operation, Param
from rules.text import Text

_VISIT = Param(
    "visit", "text", Text("number of a visit, or a visitor", "来访编号或来访者编号"), required=True, positional=True
)
_SINCE = Param("since", "since", Text("from; now if absent", "起始；默认现在"), metavar="TIME")
_IN = Param("room", "text", Text("only this room", "只看该场所"), metavar="ROOM")

OPERATIONS = (
    Operation(
        "visitor.add",
        Text("register a visit to a room", "登记来访"),
        SECURITY,
        (
            Param(
                "person",
                "text",
                Text("id of the visitor, new or known", "来访者编号（新或已有）"),
                required=True,
                positional=True,
                metavar="ID",
            ),
            Param("name", "text", Text("name as people say it", "姓名")),
            Param("room", "text", Text("the room", "到访场所"), required=True),
            Param("host", "text", Text("who receives the visitor", "接待人"), required=True, metavar="PERSON"),
            Param("escort", "text", Text("who goes along; the host if absent", "陪同人；默认接待人"), metavar="PERSON"),
            Param("purpose", "text", Text("why", "事由"), required=True),
            _SINCE,
            Param("until", "until", Text("to; the end of the day if absent", "截止；默认当日结束"), metavar="TIME"),
            Param("badge", "text", Text("card number of a visitor's badge", "来访卡号"), metavar="NUMBER"),
        ),
        act=True,
        gives=True,
    ),
    Operation("visitor.list", Text("list visits", "列出来访"), ANY, (SOME_PERSON, _IN, ALL), stream=True),
    Operation(
        "visitor.exit",
        Text("the visitor has left and handed the badge back", "来访者已离开并交还门禁卡"),
        OFFICERS,
        (_VISIT, Param("badge_lost", "flag", Text("the badge did not come back", "门禁卡未交还"))),
        act=True,
    ),
    Operation(
        "visitor.end", Text("end a visit: no entry from now", "终止来访：不得再进入"), OFFICERS, (_VISIT,), act=True
    ),
    Operation(
        "declaration.add",
        Text("keep what a person states before entering", "登记进入申报"),
        SECURITY,
        (
            PERSON,
            ROOM,
            Param("purpose", "text", Text("why", "事由")),
            Param("devices", "text", Text("devices carried", "携带的设备")),
            Param("no_devices", "flag", Text("no devices are carried", "未携带设备")),
            _SINCE,
            Param("until", "until", Text("to; the end of the day if absent", "截止；默认当日结束"), metavar="TIME"),
        ),
        act=True,
    ),
    Operation("declaration.list", Text("list declarations", "列出申报"), ANY, (SOME_PERSON, _IN, ALL), stream=True),
    Operation(
        "declaration.end",
        Text("let a declaration hold no longer", "终止申报"),
        OFFICERS,
        (
            Param(
                "declaration",
                "text",
                Text("its number", "申报编号"),
                required=True,
                positional=True,
                metavar="DECLARATION",
            ),
        ),
        act=True,
    ),
    Operation(
        "pin.set",
        Text("set the PIN of a person", "设置门禁密码"),
        SYSTEM,
        (
            PERSON,
            Param("pin", "text", Text("the PIN", "密码"), required=True, secret=True),
            Param("duress", "text", Text("one that opens and calls for help", "胁迫密码：放行并静默报警"), secret=True),
        ),
        act=True,
        gives=True,
    ),
    Operation("pin.remove", Text("forget the PIN of a person", "删除门禁密码"), OFFICERS, (PERSON,), act=True),
    Operation("pin.list", Text("who has a PIN", "列出已设置门禁密码的人员"), ANY, (SOME_PERSON,), stream=True),
)
