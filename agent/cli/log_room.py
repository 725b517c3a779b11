"""``shoumi log list --room R --during FROM..TO`` (and ``shoumi log room``): people inside, and the files they opened.

Rules of this file: the limits of the answer are printed with it each time. A list of files next to a list of people
invites a conclusion that the log does not support.
"""

from typing import Any

from agent.api.operations.schema import Param
from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, level
from agent.errors import UsageError
from rules.text import Message, foreign, from_json

PARAMS = (
    Param("room", "text", Message("cli.param-room")),
    Param(
        "during",
        "text",
        Message("cli.param-during"),
        metavar="FROM..TO",
    ),
)

_STAYS = [
    Message("common.person"),
    Message("cli.inside-from"),
    Message("common.to"),
    Message("common.door"),
    Message("common.certain"),
    Message("common.entries"),
]
_FILES = [
    Message("common.person"),
    Message("common.verdict"),
    Message("common.area"),
    Message("common.level"),
    Message("common.file"),
    Message("common.times"),
    Message("cli.while-inside"),
    Message("cli.first-time"),
    Message("common.last"),
    Message("common.entry"),
]


def of_room(context: CliContext, args: Args) -> int:
    """Print the answer of the operation ``log.room``."""
    if not args.get("room"):
        raise UsageError(Message("cli.during-needs-room"))
    terminal = context.terminal
    rows = list(context.stream("log.room", args))
    if terminal.json:
        for row in rows:
            terminal.emit(row)
        return 0
    stays = [row for row in rows if row["what"] == "stay"]
    files = [row for row in rows if row["what"] == "access"]
    if not stays:
        terminal.talk(Message("common.nobody-inside-then"))
    else:
        terminal.table(_STAYS, [_stay(context, stay) for stay in stays])
    if files:
        terminal.line("")
        terminal.table(_FILES, [_file(context, file) for file in files])
    for row in rows:
        if row["what"] == "limit":
            terminal.talk(Message("cli.limit-note", limit=from_json(row["text"])))
    return 0


def _stay(context: CliContext, stay: dict[str, Any]) -> list[object]:
    until = local(stay["until"]) if stay["until"] else context.terminal.say(Message("common.not-known"))
    entries = [number for number in (stay["seq"], stay["seq_out"]) if number]
    sure = context.terminal.say(Message("common.yes") if stay["sure"] else Message("common.no-plain"))
    return [stay["person"], local(stay["since"]), until, stay["door"], sure, entries]


def _file(context: CliContext, file: dict[str, Any]) -> list[object]:
    verdict = {"allow": Message("common.allow-verdict"), "deny": Message("common.deny")}.get(
        file["verdict"], foreign("-")
    )
    level_name = context.terminal.say(level(file["level"])) if file["level"] else None
    return [
        *(file["person"], context.terminal.say(verdict), file["area"], level_name, file["path"]),
        *(file["times"], file["while_inside"], local(file["first"]), local(file["last"]), file["seq"]),
    ]
