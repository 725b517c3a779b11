"""``shoumi log``: entries of the log, and their verification. Reading the log is itself recorded."""

import os
from collections.abc import Iterator
from typing import Any

from agent.api.operations import TABLE
from agent.api.timestamps import local
from agent.cli import log_room
from agent.cli.context import SEVERITIES, Args, CliContext, OutputColumn, column, command, printable, table
from agent.cli.parser import Command
from agent.errors import UnreachableError
from agent.log.verify import verify
from agent.presentation import terms as labels
from agent.presentation.fields import field_content, field_label, officer
from rules.text import Message, Sentence, Text, foreign, from_json, spaced

NOUN = Message("cli.noun-log")

_EMPTY = Message("common.no-entries-match")


def _columns(context: CliContext) -> tuple[OutputColumn, ...]:
    return (
        column(Message("cli.entry-number"), "seq"),
        OutputColumn(Message("common.time"), lambda row: local(row["time"])),
        OutputColumn(Message("common.event"), _happening),
        OutputColumn(Message("common.verdict"), lambda row: _verdict(context, row)),
        OutputColumn(Message("common.person"), _subject),
        OutputColumn(Message("common.rule"), lambda row: row.get("rule")),
        OutputColumn(
            Message("common.object"),
            lambda row: row.get("path") or row.get("area") or _run(row) or _place(row) or _object(row),
        ),
    )


_TERMS = (
    ("action", labels.ACTIONS),
    ("what", labels.HAPPENINGS),
    ("released", labels.RELEASES),
    ("kind", labels.ENTRIES),
)


def _happening(row: dict[str, Any]) -> Sentence:
    """Return the term for what an entry records; for an act, the name of its command."""
    if act := row.get("act"):
        return foreign(str(act))
    return next(labels.word(terms, row[name]) for name, terms in _TERMS if row.get(name))


def _verdict(context: CliContext, row: dict[str, Any]) -> str:
    if "verdict" in row:
        verdict = {"allow": Message("common.allow-verdict"), "deny": Message("common.deny")}[row["verdict"]]
        if not row.get("enforced", True):
            verdict = Message("cli.verdict-observed", verdict=verdict)
        return context.terminal.say(verdict)
    return context.terminal.say(labels.word(labels.OUTCOMES, row["outcome"])) if row.get("outcome") else ""


def _subject(row: dict[str, Any]) -> str | Sentence:
    actor = row.get("actor") or {}
    people = dict.fromkeys(str(row[key]) for key in ("person", "login_person", "service") if row.get(key))
    if row.get("own"):
        attempt, as_whom = labels.word(labels.OWN, row["own"]), " / ".join(people)
        return Message("common.as", name=attempt, kind=as_whom) if people else attempt
    if people:
        return " / ".join(people)
    uid = row.get("fsuid", actor.get("uid"))
    return "" if uid is None else officer(f"uid:{uid}")


def _place(row: dict[str, Any]) -> str:
    return " ".join(row[name] for name in ("room", "door", "alarm") if isinstance(row.get(name), str))


def _run(row: dict[str, Any]) -> Sentence | None:
    """Return run, step and state of a revocation entry, or the run of a receipt entry."""
    match row.get("kind"):
        case "revocation":
            step, state = labels.revocation_step(row), labels.word(labels.STEP_STATES, row.get("state", ""))
            return Message("cli.revocation-entry", run=row.get("case", ""), title=step, state=state)
        case "receipt":
            complete = labels.YES_NO["yes" if row.get("complete") else "no"]
            return Message("cli.receipt-entry", receipt=row.get("case", ""), complete=complete)
    return None


def _object(row: dict[str, Any]) -> Sentence | None:
    """Return the arguments of an act or a reading: of a reading with their labels, of a flag the label alone."""
    is_reading = row.get("kind") == "read"
    arguments: list[Sentence] = []
    for name, argument in (row.get("args") or {}).items():
        label = field_label(name, "log" if is_reading else "")
        if isinstance(argument, bool):
            arguments += [label] if argument else []
        elif isinstance(argument, str | int):
            content = field_content(name, argument)
            arguments.append(Message("common.equals", name=label, value=content) if is_reading else content)
    return spaced(arguments) if arguments else None


def _list(context: CliContext, args: Args) -> int:
    if args.get("during"):
        return log_room.of_room(context, args)
    if args.get("room"):
        args = args | {"area": args["room"]}
    hidden: list[int] = []

    def rows() -> Iterator[Any]:
        counted = {} if args.get("own") else {"hidden": True}  # with --own the caller knows what is left out
        for row in context.stream("log.list", args | counted):
            if "seq" in row:
                yield row
            else:
                hidden.append(row["hidden"])

    exit_code = table(context, rows(), _columns(context), _EMPTY)
    for count in filter(None, hidden):
        context.terminal.talk(Message("cli.own-attempts-hidden", count=count))
    return exit_code


def _follow(context: CliContext, args: Args) -> int:
    rows: Iterator[Any] = iter(context.stream("log.follow", args))
    if context.terminal.json:
        for row in rows:
            context.terminal.emit(row)
            context.terminal.out.flush()
        return 0
    columns = _columns(context)
    for row in rows:
        cells = (column.cell(row) or "-" for column in columns)
        texts = (context.terminal.say(cell) if isinstance(cell, Message | Text) else printable(cell) for cell in cells)
        context.terminal.line("  ".join(texts))
        context.terminal.out.flush()
    return 0


def _show(context: CliContext, args: Args) -> int:
    context.terminal.line(printable(context.call("log.show", args)["line"]))
    return 0


def _verify(context: CliContext, args: Args) -> int:
    try:
        report = context.call("log.verify", args)
    except UnreachableError:
        if not os.access(context.home.log, os.R_OK | os.X_OK):
            raise
        report = verify(context.home.log).to_json()  # a caller who may read the files needs no agent
    terminal = context.terminal
    problems = [_problem(problem) for problem in report["problems"]]
    terminal.emit(report, *problems)
    if not report["ok"]:
        return 1
    if not terminal.json:
        count, first, last = report["entries"], report["first"], report["last"]
        terminal.line(terminal.say(Message("cli.log-intact", count=count, first=first, last=last)))
    return 0


def _problem(problem: dict[str, Any]) -> Sentence:
    sentence, place = from_json(problem["text"]), f"{problem['file']}:{problem['line']}"
    severity = SEVERITIES[problem["severity"]]
    return Message("cli.log-problem", severity=severity, place=place, number=problem["seq"], text=sentence)


COMMANDS = (
    Command(
        ("log", "list"),
        TABLE["log.list"].help,
        (*(param for param in TABLE["log.list"].params if param.name != "hidden"), *log_room.PARAMS),
        _list,
        note=Message("cli.explains-proof"),
    ),
    command("log.room", log_room.of_room),
    command("log.follow", _follow, note=Message("cli.explains-proof")),
    command("log.show", _show),
    command("log.verify", _verify),
)
