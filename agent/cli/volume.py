"""``shoumi volume``: disks the agent mounts, guarded before anybody sees them, and lets go of again.

Rules of this file: ``create`` works on an empty disk that nothing guards yet, with the rights of whoever calls it, and
asks no agent. The other commands are acts of the agent, which takes its time for them; they wait for what comes of it.
"""

import os
from typing import Any

from agent.api.operations.schema import Param
from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, OutputColumn, column, command, shown, table, text
from agent.cli.parser import Command
from agent.disks import creation
from agent.errors import RefusedError
from agent.presentation import seen
from agent.presentation.terms import VOLUME_STATES, word
from rules.text import Text

NOUN = Text("disks with areas on them: made, mounted, let go of", "涉密卷：建立、挂载与释放")

_YES = Param("yes", "flag", Text("do not only show what would happen", "确认执行，而不只是查看"))
_CREATE = (
    Param(
        "device",
        "path",
        Text("an empty block device, or an image", "空的块设备，或映像文件"),
        required=True,
        positional=True,
        metavar="DEVICE|FILE",
    ),
    Param("fstype", "text", Text("the filesystem", "文件系统"), required=True, choices=("ext4", "xfs")),
    Param("size", "number", Text("of a new image, in MiB", "新映像文件的大小（MiB）"), metavar="MIB"),
    Param("luks", "flag", Text("in a LUKS2 container", "置于 LUKS2 容器中")),
    Param("luks_key", "path", Text("file with its key", "其密钥文件"), metavar="FILE"),
    _YES,
)


def _create(context: CliContext, args: Args) -> int:
    device, key = _absolute(args["device"]), args["luks_key"]
    if args["fstype"] not in ("ext4", "xfs"):
        raise RefusedError(Text("the filesystem is ext4 or xfs", "文件系统须为 ext4 或 xfs"))
    size = None if args["size"] is None else int(args["size"]) << 20
    wanted = creation.plan(device, args["fstype"], size, encrypted=bool(args["luks"]), key=_absolute(key))
    terminal = context.terminal
    if not args["yes"]:
        terminal.data({"steps": [step.to_json() for step in wanted.steps()]}, *wanted.steps())
        raise RefusedError(Text("nothing is done yet", "尚未执行"), Text("to do it: add --yes", "确认执行请加 --yes"))
    for step in wanted.steps():
        terminal.talk(step)
    made = creation.make(wanted)
    said = shown(made.device)
    terminal.data(made.to_json(), Text(f"`{said}` has a new {made.fstype}", f"`{said}` 已建立新的 {made.fstype}"))
    encrypted = " --luks-key FILE" if made.luks else ""
    following = f"shoumi volume attach {said} --at POINT{encrypted}"
    terminal.talk(Text(f"next: {following}", f"下一步：{following}"))
    return 0


def _attach(context: CliContext, args: Args) -> int:
    if not args["uuid"]:
        found = context.call("volume.show", {"volume": args["device"]})
        args = {**args, "uuid": found["uuid"] or None}
    outcome = _outcome(context, context.call("volume.attach", args))
    point = shown(outcome["point"])
    context.terminal.data(
        outcome,
        Text(
            f"attached for `{point}`: marked, and nobody sees it; next: shoumi volume publish {point}",
            f"已为 `{point}` 附加：已标记且无人可见；下一步：shoumi volume publish {point}",
        ),
    )
    return 0


def _publish(context: CliContext, args: Args) -> int:
    outcome = _outcome(context, context.call("volume.publish", args))
    point, state = shown(outcome["point"]), word(VOLUME_STATES, outcome["state"])
    context.terminal.data(outcome, Text(f"`{point}`: {state.en}", f"`{point}`：{state.zh}"))
    return int(outcome["state"] not in ("published", "guarded"))


def _hide(context: CliContext, args: Args) -> int:
    terminal = context.terminal
    if not args["yes"]:
        plan = context.call("volume.show", {"volume": args["point"]})
        areas, point = ", ".join(map(shown, plan["areas"])) or "-", shown(args["point"])
        terminal.data(
            plan,
            Text(f"areas that nobody reaches any more: {areas}", f"将无法访问的目录：{areas}"),
            *(text(one["text"]) for one in plan["holders"]),
        )
        raise RefusedError(
            Text("nothing is done yet", "尚未执行"),
            Text(
                f"to do it: shoumi volume hide {point} --yes; with --end its holders are ended",
                f"确认执行：shoumi volume hide {point} --yes；加 --end 则结束占用进程",
            ),
        )
    outcome = _outcome(context, context.call("volume.hide", args))
    point = shown(outcome["point"])
    if outcome["free"]:
        terminal.data(outcome, Text(f"`{point}` is hidden, and its disk is free", f"`{point}` 已隐藏，磁盘已释放"))
        return 0
    said = Text(f"`{point}` is hidden; its disk is still held", f"`{point}` 已隐藏；磁盘仍被占用")
    kernel = Text(
        "by the kernel itself: an NFS export, swap, a loop device", "被内核自身占用：NFS 导出、交换或 loop 设备"
    )
    terminal.data(outcome, said, *([text(one["text"]) for one in outcome["holders"]] or [kernel]))
    return 1


def _show(context: CliContext, args: Args) -> int:
    found = context.call("volume.show", args)
    rows = [
        (Text("device", "设备"), found["device"]),
        (Text("mount point", "挂载点"), found["point"]),
        (Text("what is on it", "内容"), found["kind"]),
        (Text("number", "编号"), found["uuid"]),
        (Text("areas", "目录"), found["areas"]),
    ]
    terminal = context.terminal
    if terminal.json:
        terminal.data(found)
        return 0
    terminal.table([Text("what", "项目"), Text("value", "内容")], [(terminal.say(what), value) for what, value in rows])
    for one in found["holders"]:
        terminal.line(terminal.say(text(one["text"])))
    return 0


def _list(context: CliContext, args: Args) -> int:
    columns = (
        column("point", "挂载点", "point"),
        column("device", "设备", "device"),
        column("type", "类型", "fstype"),
        OutputColumn(Text("state", "状态"), lambda row: word(VOLUME_STATES, row["state"])),
        column("areas", "目录", "areas"),
        OutputColumn(
            Text("guard seen", "证实时间"), lambda row: seen.short(row["seen"], local) if row["seen"] else None
        ),
        column("by", "操作人", "by"),
        OutputColumn(Text("since", "起始"), lambda row: local(row["since"]) if row["since"] else None),
        OutputColumn(Text("trouble", "问题"), lambda row: text(row["trouble"]) if row["trouble"] else None),
    )
    return table(context, context.stream("volume.list", args), columns, Text("no volumes yet", "尚无卷"))


def _outcome(context: CliContext, act: dict[str, Any]) -> dict[str, Any]:
    """Wait for what comes of an act. Raises :class:`RefusedError` with the reason when it has not come about."""
    [outcome] = context.stream("volume.outcome", {"point": act["point"], "at": act["at"]})
    if outcome["error"]:
        raise RefusedError(text(outcome["error"]), text(outcome["hint"]) if outcome["hint"] else None)
    return {**outcome, **{name: act[name] for name in act if name.endswith("milliseconds")}}


def _absolute(path: str | None) -> str:
    return os.path.abspath(path) if path else ""  # noqa: PTH100 - links stay, as for every path that is named


COMMANDS = (
    Command(
        ("volume", "create"), Text("make a new filesystem on an empty disk", "在空磁盘上建立文件系统"), _CREATE, _create
    ),
    command("volume.attach", _attach),
    command("volume.publish", _publish),
    command("volume.hide", _hide, extra=(_YES,)),
    command("volume.show", _show),
    command("volume.list", _list),
)
