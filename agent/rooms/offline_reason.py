"""Why a reader or board is not there, and what somebody can do about it: for whoever looks at a door.

Rules of this file: pure. What the doors process says itself comes first; a reader that it was not told of, or has not
spoken about yet, is explained from what control knows. The hint is a command or a thing to look at, never a guess at
which part is broken.
"""

from typing import NamedTuple

from agent.doors.messages import Online
from agent.registry.rows.doors import DoorRow, ReaderRow
from rules.text import Text
from rules.visible import visible


class OfflineReason(NamedTuple):
    """Why it is not there, and what to do."""

    why: Text
    hint: Text


_NO_KEY = Text("it has no key yet, so nobody speaks to it", "尚无密钥，因此未与其通信")
_DOWN = Text("the doors process is not running", "门禁进程未运行")
_UNHEARD = Text("nothing was heard of it yet", "尚未收到其任何消息")
_SEE_AGENT = Text(
    "see the agent's standard error, or, where doors are a service of their own, `systemctl status shoumi-doors`",
    "请查看守护进程的错误输出；门禁为独立服务时，请运行 `systemctl status shoumi-doors`",
)


def away(row: DoorRow, reader: ReaderRow, said: Online | None, *, keyed: bool, running: bool) -> OfflineReason | None:
    """Return it for one reader of the door *row*; ``None`` for one that is there. *keyed*: it was given a key once."""
    if said is not None and said.online:
        return None
    if row.protocol == "osdp" and not keyed:
        door = visible(row.name)
        command = f"shoumi door commission {door}" + (" --side out" if reader.side == "out" else "")
        return OfflineReason(
            _NO_KEY, Text(f"in install mode, on a bench: {command}", f"置于安装模式，在工作台上执行：{command}")
        )
    if not running:
        return OfflineReason(_DOWN, _SEE_AGENT)
    where = visible(reader.address)
    look = Text(f"look at its power, its line and its address `{where}`", f"请检查其电源、线路和地址 `{where}`")
    return OfflineReason(said.why if said is not None and said.why else _UNHEARD, look)
