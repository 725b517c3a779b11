"""Operations on doors 门.

Wiring and keys are the system administrator's; letting somebody in without a badge is the security officer's.
"""

from agent.api.operations.rooms import REASON
from agent.api.operations.schema import ANY, SECURITY, SYSTEM, Operation, Param
from rules.text import Text

DOOR = Param("door", "text", Text("name of a door", "门的名称"), required=True, positional=True, metavar="DOOR")
_SIDE = Param(
    "side",
    "text",
    Text("reader on the way in (the default) or out", "进门（默认）或出门一侧的读卡器"),
    choices=("in", "out"),
)
_OUT = Param(
    "exit_reader", "texts", Text("reader on the way out; may be repeated", "出门读卡器；可重复"), metavar="ADDRESS"
)
_WIRING = (
    Param(
        "strike",
        "text",
        Text("device that releases it; the first reader if absent", "放行设备；默认首个读卡器"),
        metavar="ADDRESS",
    ),
    Param("output", "number", Text("its output (default 0)", "输出编号（默认 0）"), metavar="N"),
    Param("seconds", "number", Text("how long it is released (default 5)", "放行秒数（默认 5）")),
    Param("contact", "text", Text("it says when it is open", "有门磁"), choices=("yes", "no")),
)

OPERATIONS = (
    Operation(
        "door.add",
        Text("register a door of a room", "登记场所的门"),
        SYSTEM,
        (
            DOOR,
            Param("room", "text", Text("where it leads", "所属场所"), required=True),
            Param(
                "reader",
                "texts",
                Text("reader on the way in; may be repeated", "进门读卡器；可重复"),
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
        Text("change a door's readers or lock", "修改门的读卡器或锁"),
        SYSTEM,
        (
            DOOR,
            Param(
                "reader", "texts", Text("readers on the way in, all of them", "进门读卡器（全部）"), metavar="ADDRESS"
            ),
            _OUT,
            *_WIRING,
        ),
        act=True,
        gives=True,
    ),
    Operation("door.show", Text("show one door", "查看一扇门"), ANY, (DOOR,)),
    Operation(
        "door.list",
        Text("list doors and whether their readers answer", "列出门及读卡器状态"),
        ANY,
        (Param("room", "text", Text("only this room", "只看该场所"), positional=True, metavar="ROOM"),),
        stream=True,
    ),
    Operation("door.remove", Text("remove a door", "移除门"), SYSTEM, (DOOR,), act=True),
    Operation(
        "door.listen",
        Text("where boards send their events: an address of this host", "控制板发送事件的本机地址"),
        SYSTEM,
        (
            Param(
                "address",
                "text",
                Text("IPv4:PORT; nowhere if absent", "IPv4:端口；不写则停用"),
                positional=True,
                metavar="ADDRESS",
            ),
        ),
        act=True,
    ),
    Operation("door.test", Text("ask the readers of a door how they are", "检测门的读卡器"), SYSTEM, (DOOR,)),
    Operation(
        "door.open",
        Text("release a door once, without a badge", "不刷卡放行一次"),
        SECURITY,
        (DOOR, REASON),
        act=True,
        gives=True,
    ),
    Operation(
        "door.commission",
        Text("give a new reader its key", "为新读卡器写入密钥"),
        SYSTEM,
        (DOOR, _SIDE),
        act=True,
    ),
    Operation("door.rotate-key", Text("give a reader another key", "更换读卡器密钥"), SYSTEM, (DOOR, _SIDE), act=True),
    Operation(
        "door.outcome",
        Text("wait for what came of a command to a door", "等待门命令的结果"),
        ANY,
        (Param("ticket", "text", Text("number of the command", "命令编号"), required=True, positional=True),),
    ),
    Operation(
        "door.cards", Text("what boards hold, and what is not confirmed", "控制板卡片及待确认项"), ANY, stream=True
    ),
)
