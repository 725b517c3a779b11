"""Pages of ``docs/`` that are made from the program itself. ``python tests/docs/reference.py`` writes them.

Rules of this file: pure functions from the program's tables to Markdown; ``test_reference.py`` fails while a page in
the repository says anything else.
"""

from collections.abc import Iterable
from pathlib import Path

from agent import shipped
from agent.cli.main import COMMANDS
from agent.cli.parser import Command
from agent.control.acts import TABLE
from rules.catalogue import rules_of
from rules.clauses import read_clauses, read_duties
from rules.pack import load
from rules.text import Text

DOCS = Path(__file__).resolve().parents[2] / "docs"
RULES = Path(__file__).resolve().parents[2] / "rules"


def commands() -> str:
    """Return the table of commands: words and arguments, what they do, who may."""
    rows = [(_usage(c), c.help.en, c.help.zh, _who(c)) for c in COMMANDS if not c.alias]
    return _page(
        Text("Commands", "命令"),
        "`shoumi --home DIR --json COMMAND …`; `--home` and `--json` are understood anywhere on the line. Exit codes: "
        "0 done, 1 refused or found something wrong, 2 usage, 3 not permitted, 4 agent not reachable.",
        ("command", "what it does", "作用", "who 角色"),
        rows,
    )


def coverage() -> str:
    """Return which of the 25 duties is served by which rule of which pack, and what is served elsewhere or later."""
    packs = {name: load(shipped.text(name)) for name in shipped.names()}
    rows = []
    for duty in read_duties((RULES / "duties.csv").read_text(encoding="utf-8")).values():
        cells = []
        for pack in packs.values():
            served = [f"`{rule.id}`" for rule in rules_of(pack) if duty.number in rule.duties]
            served += [f"{plan.served_by}*" for plan in pack.planned.values() if duty.number in plan.duties]
            cells.append(", ".join(dict.fromkeys(served)) or "–")
        rows.append((str(duty.number), duty.title.zh, duty.title.en, " ".join(duty.clauses), *cells))
    clauses = read_clauses((RULES / "clauses.csv").read_text(encoding="utf-8"))
    return _page(
        Text("The 25 duties and the rules that serve them", "25 项职责与对应规则"),
        f"Drawn from {len(clauses)} clauses of the regulations (`rules/clauses.csv`). A word in code type is the rule "
        "a verdict names. A word with a star is no rule of the decision: it names the part of the program the duty is "
        "for (in the pack's `[planned]` tables); what of that exists yet is said in the README.",
        ("#", "职责", "duty", "clauses", *packs),
        rows,
    )


PAGES = {"commands.md": commands, "coverage.md": coverage}


def _usage(command: Command) -> str:
    words = [*command.words]
    for param in command.params:
        name = param.name if param.positional else f"--{param.name.replace('_', '-')}"
        shown = name.upper() if param.positional else name if param.kind == "flag" else f"{name} …"
        words.append(shown if param.required else f"[{shown}]")
    return f"`{' '.join(words)}`"


def _who(command: Command) -> str:
    operation = TABLE.get(".".join(command.words))
    if operation is None or operation.roles is None:
        return "–"
    return ", ".join(sorted(role.text.en for role in operation.roles))


def _page(title: Text, about: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
    made = "<!-- made by tests/docs/reference.py: do not edit -->"
    return f"# {title.en} {title.zh}\n\n{made}\n\n{about}\n\n{table}\n"


if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
