"""``shoumi log list --room R --during FROM..TO`` (and ``shoumi log room``): who was inside, and what they opened.

Rules of this file: the limits of the answer are printed with it, each time: a list of files beside a list of people
invites a conclusion the log does not draw.
"""

from typing import Any

from agent.api.operations.schema import Param
from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, level, text
from agent.errors import UsageError
from rules.text import Text

PARAMS = (
    Param("room", "text", Text("this room", "该场所")),
    Param(
        "during",
        "text",
        Text("with --room: who was inside then, and what they opened", "与 --room 同用：该时段室内人员及其打开的文件"),
        metavar="FROM..TO",
    ),
)

_STAYS = [
    Text("person", "人员"),
    Text("inside from", "进入"),
    Text("to", "离开"),
    Text("door", "门"),
    Text("sure", "确定"),
    Text("entries", "条目"),
]
_FILES = [
    Text("person", "人员"),
    Text("verdict", "判定"),
    Text("area", "目录"),
    Text("level", "密级"),
    Text("file", "文件"),
    Text("times", "次数"),
    Text("while inside", "室内次数"),
    Text("first", "首次"),
    Text("last", "末次"),
    Text("entry", "条目"),
]


def of_room(context: CliContext, args: Args) -> int:
    """Print the answer of the operation ``log.room``."""
    if not args.get("room"):
        raise UsageError(Text("`--during` needs `--room`", "`--during` 须与 `--room` 同用"))
    terminal = context.terminal
    items = list(context.stream("log.room", args))
    if terminal.json:
        for item in items:
            terminal.data(item)
        return 0
    stays = [item for item in items if item["what"] == "stay"]
    files = [item for item in items if item["what"] == "access"]
    if not stays:
        terminal.talk(Text("the log knows of nobody inside then", "日志中该时段室内无人"))
    else:
        terminal.table(_STAYS, [_stay(context, stay) for stay in stays])
    if files:
        terminal.line("")
        terminal.table(_FILES, [_file(context, file) for file in files])
    for item in items:
        if item["what"] == "limit":
            said = text(item["text"])
            terminal.talk(Text(f"note: {said.en}", f"注意：{said.zh}"))
    return 0


def _stay(context: CliContext, stay: dict[str, Any]) -> list[object]:
    until = local(stay["until"]) if stay["until"] else context.terminal.say(Text("not known", "不详"))
    entries = [number for number in (stay["seq"], stay["seq_out"]) if number]
    sure = context.terminal.say(Text("yes", "是") if stay["sure"] else Text("no", "否"))
    return [stay["person"], local(stay["since"]), until, stay["door"], sure, entries]


def _file(context: CliContext, file: dict[str, Any]) -> list[object]:
    verdict = {"allow": Text("allow", "允许"), "deny": Text("DENY", "拒绝")}.get(file["verdict"], Text("-", "-"))
    word = context.terminal.say(level(file["level"])) if file["level"] else None
    return [
        *(file["person"], context.terminal.say(verdict), file["area"], word, file["path"]),
        *(file["times"], file["while_inside"], local(file["first"]), local(file["last"]), file["seq"]),
    ]
