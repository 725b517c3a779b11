"""``shoumi pack``: the rules in force, and the ones that come with the program.

Rules of this file: ``check`` and ``list`` need no agent. A shipped pack is named by its name, any other by its path.
The reader of packs is imported by whoever reads one: no other command has to wait for it.
"""

from pathlib import Path

from agent import shipped_packs
from agent.api.operations.schema import Param
from agent.cli.context import PLAN, Args, CliContext, command, file_text, losses, planned, shown, text
from agent.cli.parser import Command
from rules.text import Text

NOUN = Text("the rules in force", "规则包")

_PACK = Param(
    "pack",
    "text",
    Text("a shipped pack's name, or a TOML file", "内置规则包名称，或 TOML 文件"),
    positional=True,
    metavar="PACK",
)


def source(word: str) -> str:
    """Return the TOML text of a shipped pack or a file; raise :class:`RefusedError` when there is neither."""
    if word in shipped_packs.names():
        return shipped_packs.text(word)
    if "/" in word or word.endswith(".toml") or Path(word).exists() or word == "-":
        return file_text(word)
    return shipped_packs.text(word)  # raises, naming the shipped ones


def _show(context: CliContext, args: Args) -> int:
    found = context.call("pack.show", args)
    terminal = context.terminal
    if terminal.json:
        terminal.data(found)
        return 0
    title = text(found["title"])
    terminal.line(terminal.say(Text(f"{found['id']}: {title.en}", f"{found['id']}：{title.zh}")))
    terminal.table(
        [Text("rule", "规则"), Text("what it asks", "要求"), Text("clauses", "条款")],
        [(rule["id"], terminal.say(text(rule["title"])), rule["clauses"]) for rule in found["rules"]],
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
            terminal.data(
                {
                    "line": problem.line,
                    "severity": problem.severity,
                    "text": problem.text.to_json(),
                    "hint": problem.hint.to_json(),
                }
            )
        return 1 if errors else 0
    for problem in problems:
        terminal.line(f"{problem.line}: {problem.severity}: {terminal.say(problem.text)}")
        terminal.line(f"    → {terminal.say(problem.hint)}")
    if not errors:
        pack = load(toml)
        rules = len(pack.rules)
        terminal.line(
            terminal.say(Text(f"{pack.id}: {rules} rules, nothing wrong", f"{pack.id}：{rules} 条规则，没有错误"))
        )
    return 1 if errors else 0


def _use(context: CliContext, args: Args) -> int:
    text = source(args["pack"])
    if args.get("plan"):
        return planned(context, "pack.use", {"pack": text})
    result = context.client.call("pack.use", pack=text)
    said = Text(f"in force: {shown(result['pack'])}", f"已启用：{shown(result['pack'])}")
    context.terminal.data(result, said, *losses(result))
    return 0


def _list(context: CliContext, args: Args) -> int:
    from rules.pack.reader import load

    packs = [load(shipped_packs.text(name)) for name in shipped_packs.names()]
    terminal = context.terminal
    if terminal.json:
        for pack in packs:
            terminal.data({"name": pack.name, "id": pack.id, "title": pack.title.to_json(), "rules": len(pack.rules)})
        return 0
    terminal.table(
        [Text("pack", "规则包"), Text("rules", "规则数"), Text("title", "名称")],
        [(pack.name, len(pack.rules), terminal.say(pack.title)) for pack in packs],
    )
    return 0


COMMANDS = (
    command("pack.show", _show),
    Command(
        ("pack", "check"),
        Text("look for mistakes in a pack; the one in force if none is named", "检查规则包；不指定则检查生效的规则包"),
        (_PACK,),
        _check,
    ),
    command("pack.use", _use, extra=(PLAN,)),
    Command(("pack", "list"), Text("list the packs that come with the program", "列出内置规则包"), (), _list),
)
