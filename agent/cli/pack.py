"""``shoumi pack``: the rule pack in force, and the packs shipped with the program.

Rules of this file: ``check`` and ``list`` need no agent. A shipped pack is named by its name, any other by its path.
The reader of packs is imported where a pack is read: no other command waits for that import.
"""

from pathlib import Path

from agent import shipped_packs
from agent.api.operations.schema import Param
from agent.cli.context import PLAN, SEVERITIES, Args, CliContext, command, file_text, losses, planned, printable
from agent.cli.parser import Command
from agent.presentation.terms import word
from rules.text import Message, from_json, labelled

NOUN = Message("cli.noun-pack")

_PACK = Param(
    "pack",
    "text",
    Message("common.pack-argument"),
    positional=True,
    metavar="PACK",
)


def source(name: str) -> str:
    """Return the TOML text of a shipped pack or a file; raise :class:`RefusedError` when neither exists."""
    if name in shipped_packs.names():
        return shipped_packs.text(name)
    if "/" in name or name.endswith(".toml") or Path(name).exists() or name == "-":
        return file_text(name)
    return shipped_packs.text(name)  # raises, naming the shipped ones


def _show(context: CliContext, args: Args) -> int:
    pack = context.call("pack.show", args)
    terminal = context.terminal
    if terminal.json:
        terminal.emit(pack)
        return 0
    title = from_json(pack["title"])
    terminal.line(terminal.say(Message("common.labelled", label=pack["id"], text=title)))
    terminal.table(
        [Message("common.rule"), Message("common.requirements"), Message("common.clauses")],
        [(rule["id"], terminal.say(from_json(rule["title"])), rule["clauses"]) for rule in pack["rules"]],
    )
    return 0


def _check(context: CliContext, args: Args) -> int:
    from rules.pack.reader import check, load

    toml = source(args["pack"]) if args["pack"] else file_text(str(context.home.pack))
    problems = check(toml)
    terminal = context.terminal
    errors = [problem for problem in problems if problem.severity == "error"]
    if terminal.json:
        for problem in problems:
            terminal.emit(
                {
                    "line": problem.line,
                    "severity": problem.severity,
                    "text": problem.text.to_json(),
                    "hint": problem.hint.to_json(),
                }
            )
        return 1 if errors else 0
    for problem in problems:
        severity = word(SEVERITIES, problem.severity)
        terminal.line(terminal.say(labelled(problem.line, labelled(severity, problem.text))))
        terminal.line(f"    → {terminal.say(problem.hint)}")
    if not errors:
        pack = load(toml)
        terminal.line(terminal.say(Message("cli.pack-valid", pack=pack.id, count=len(pack.rules))))
    return 1 if errors else 0


def _use(context: CliContext, args: Args) -> int:
    text = source(args["pack"])
    if args.get("plan"):
        return planned(context, "pack.use", {"pack": text})
    answer = context.client.call("pack.use", pack=text)
    sentence = Message("cli.pack-in-force", pack=printable(answer["pack"]))
    context.terminal.emit(answer, sentence, *losses(answer))
    return 0


def _list(context: CliContext, args: Args) -> int:
    from rules.pack.reader import load

    packs = [load(shipped_packs.text(name)) for name in shipped_packs.names()]
    terminal = context.terminal
    if terminal.json:
        for pack in packs:
            terminal.emit({"name": pack.name, "id": pack.id, "title": pack.title.to_json(), "rules": len(pack.rules)})
        return 0
    terminal.table(
        [Message("common.pack"), Message("cli.rule-count"), Message("cli.title")],
        [(pack.name, len(pack.rules), terminal.say(pack.title)) for pack in packs],
    )
    return 0


COMMANDS = (
    command("pack.show", _show),
    Command(
        ("pack", "check"),
        Message("cli.help-pack-check"),
        (_PACK,),
        _check,
    ),
    command("pack.use", _use, extra=(PLAN,)),
    Command(("pack", "list"), Message("cli.help-pack-list"), (), _list),
)
