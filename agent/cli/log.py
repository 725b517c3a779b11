"""``shoumi log``: what happened. Reading it is itself recorded."""

import os
from collections.abc import Iterator
from typing import Any

from agent.api.operations import TABLE
from agent.api.timestamps import local
from agent.cli import log_room
from agent.cli.context import Args, CliContext, OutputColumn, column, command, shown, table, text
from agent.cli.parser import Command
from agent.errors import UnreachableError
from agent.log.verify import verify
from agent.presentation import terms as labels
from rules.text import Text

NOUN = Text("what happened", "日志")

_EMPTY = Text("no entries match", "没有符合的条目")


def _columns(context: CliContext) -> tuple[OutputColumn, ...]:
    return (
        column("seq", "序号", "seq"),
        OutputColumn(Text("time", "时间"), lambda row: local(row["time"])),
        OutputColumn(Text("what", "事项"), _what),
        OutputColumn(Text("verdict", "判定"), lambda row: _verdict(context, row)),
        OutputColumn(Text("person", "人员"), _who),
        OutputColumn(Text("rule", "规则"), lambda row: row.get("rule")),
        OutputColumn(
            Text("object", "对象"),
            lambda row: row.get("path") or row.get("area") or _run(row) or _place(row) or _object(row),
        ),
    )


_WORDS = (
    ("action", labels.ACTIONS),
    ("what", labels.HAPPENINGS),
    ("released", labels.RELEASES),
    ("kind", labels.ENTRIES),
)


def _what(row: dict[str, Any]) -> Text:
    """Return what happened; an act by its command's name."""
    if act := row.get("act"):
        return Text(str(act), str(act))
    return next(labels.word(known, row[name]) for name, known in _WORDS if row.get(name))


def _verdict(context: CliContext, row: dict[str, Any]) -> str:
    if "verdict" in row:
        said = {"allow": Text("allow", "允许"), "deny": Text("DENY", "拒绝")}[row["verdict"]]
        observed = "" if row.get("enforced", True) else context.terminal.say(Text(" (observed)", "（观察）"))
        return context.terminal.say(said) + observed
    return context.terminal.say(labels.word(labels.OUTCOMES, row["outcome"])) if row.get("outcome") else ""


def _who(row: dict[str, Any]) -> str | Text:
    actor = row.get("actor") or {}
    people = dict.fromkeys(str(row[key]) for key in ("person", "login_person", "service") if row.get(key))
    if row.get("own"):
        said, as_whom = labels.word(labels.OWN, row["own"]), " / ".join(people)
        return Text(f"{said.en} as {as_whom}", f"{said.zh}（{as_whom}）") if people else said
    if people:
        return " / ".join(people)
    uid = row.get("fsuid", actor.get("uid"))
    return "" if uid is None else f"uid:{uid}"


def _place(row: dict[str, Any]) -> str:
    return " ".join(row[name] for name in ("room", "door", "alarm") if isinstance(row.get(name), str))


def _run(row: dict[str, Any]) -> Text | None:
    """Return of what run, step and state an entry of a revocation tells, or of what run a receipt is."""
    match row.get("kind"):
        case "revocation":
            step, state = labels.revocation_step(row), labels.word(labels.STEP_STATES, row.get("state", ""))
            run, named = row.get("case", ""), row.get("step", "")
            return Text(f"{run} {named} {state.en}", f"{run} {step.zh} {state.zh}")
        case "receipt":
            state = labels.YES_NO["yes"] if row.get("complete") else labels.YES_NO["no"]
            return Text(f"{row.get('case', '')}, complete: {state.en}", f"{row.get('case', '')}，已完成：{state.zh}")
    return None


def _object(row: dict[str, Any]) -> str:
    """Return what was asked for: of a reading with the names of what was asked, of what is on its name alone."""
    named = row.get("kind") == "read"
    found = []
    for name, value in (row.get("args") or {}).items():
        if isinstance(value, bool):
            found += [name] if value else []
        elif isinstance(value, str | int):
            found.append(f"{name}={value}" if named else str(value))
    return " ".join(found)


def _list(context: CliContext, args: Args) -> int:
    if args.get("during"):
        return log_room.of_room(context, args)
    if args.get("room"):
        args = args | {"area": args["room"]}
    hidden: list[int] = []

    def rows() -> Iterator[Any]:
        counted = {} if args.get("own") else {"hidden": True}  # who chose knows what is left out
        for row in context.stream("log.list", args | counted):
            if "seq" in row:
                yield row
            else:
                hidden.append(row["hidden"])

    done = table(context, rows(), _columns(context), _EMPTY)
    for count in filter(None, hidden):
        en = f"{count} attempts that the agent made itself are not shown: --own shows them"
        context.terminal.talk(Text(en, f"另有 {count} 条代理自身的试探未列出：加 --own 可查看"))
    return done


def _follow(context: CliContext, args: Args) -> int:
    items: Iterator[Any] = iter(context.stream("log.follow", args))
    if context.terminal.json:
        for item in items:
            context.terminal.data(item)
            context.terminal.out.flush()
        return 0
    columns = _columns(context)
    for item in items:
        cells = (column.cell(item) or "-" for column in columns)
        said = (context.terminal.say(cell) if isinstance(cell, Text) else shown(cell) for cell in cells)
        context.terminal.line("  ".join(said))
        context.terminal.out.flush()
    return 0


def _show(context: CliContext, args: Args) -> int:
    context.terminal.line(shown(context.call("log.show", args)["line"]))
    return 0


def _verify(context: CliContext, args: Args) -> int:
    try:
        report = context.call("log.verify", args)
    except UnreachableError:
        if not os.access(context.home.log, os.R_OK | os.X_OK):
            raise
        report = verify(context.home.log).to_json()  # whoever may read the files needs no agent to check them
    terminal = context.terminal
    problems = [_problem(problem) for problem in report["problems"]]
    terminal.data(report, *problems)
    if not report["ok"]:
        return 1
    if not terminal.json:
        count, first, last = report["entries"], report["first"], report["last"]
        terminal.line(
            terminal.say(
                Text(
                    f"{count} entries, {first} to {last}: none missing, none damaged",
                    f"共 {count} 条（{first} 至 {last}）：无缺失，无损坏",
                )
            )
        )
    return 0


def _problem(problem: dict[str, Any]) -> Text:
    said, place = text(problem["text"]), f"{shown(problem['file'])}:{problem['line']}"
    return Text(
        f"{problem['severity']}: {place}: entry {problem['seq']} {said.en}", f"{place}：第 {problem['seq']} 条{said.zh}"
    )


COMMANDS = (
    Command(
        ("log", "list"),
        TABLE["log.list"].help,
        (*(param for param in TABLE["log.list"].params if param.name != "hidden"), *log_room.PARAMS),
        _list,
    ),
    command("log.room", log_room.of_room),
    command("log.follow", _follow),
    command("log.show", _show),
    command("log.verify", _verify),
)
