"""The sections of ``docs/architecture.md`` that are made: folders, processes, threads, directions of imports, budgets.

Rules of this file: the page is written by hand but for what stands between two marks; ``reference.py`` writes it.
"""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.control.reception.budgets import BATCH, BUDGETS, FRESH, LARGE, LOOKUP, QUESTIONS, REST, SMALL
from agent.control.reception.over_budget import ENOUGH, EVERY, MOST, WITHIN
from agent.control.rejections import WITH_ROLE, WITHOUT, RejectionLimits
from tests import ROOT
from tests.docs.markdown import code, filled, table
from tests.docs.processes import PROCESSES, WIRES, ProcessRow
from tests.docs.threads import THREADS
from tests.sentences import en

PAGE = ROOT / "docs" / "architecture.md"
_DEPTH = 3  # folders below the checkout


def page() -> str:
    """Return the page with its made sections as the program is now."""
    sections = {
        "folders": folders(),
        "picture": picture(),
        "processes": processes(),
        "wires": wires(),
        "threads": threads(),
        "layers": layers(),
        "budgets": budgets(),
    }
    return filled(PAGE.read_text(encoding="utf-8"), sections)


def folders() -> str:
    """Return the folders of the product and of the tests, each with the first line of its own description."""
    found = [
        *_packages(ROOT / "agent"),
        *_packages(ROOT / "rules"),
        *_packages(ROOT / "tui"),
        *_packages(ROOT / "tests"),
    ]
    return table(("folder", "what it is"), [(f"`{name}`", code(said)) for name, said in found])


def picture() -> str:
    """Return who starts whom, and who talks to whom over what; what ends by itself in seconds is round."""
    lines = ["```mermaid", "flowchart TB"]
    lines += [f"    {_node(row.name)}{f'([{row.name}])' if row.short else f'[{row.name}]'}" for row in PROCESSES]
    over = {wire.between: wire.what for wire in WIRES}
    for row in PROCESSES:
        if row.starter:
            what = over.pop((row.starter, row.name), "")
            lines.append(_edge(row.starter, row.name, "-->", f"{row.verb}: {what}" if what else row.verb))
    lines += [_edge(*between, "-.->", what) for between, what in over.items()]
    return "\n".join([*lines, "```", ""])


def processes() -> str:
    """Return every kind of process."""
    head = ("process", "entry", "started by", "user and rights", "loop", "what it alone owns")
    return table(head, [_process(row) for row in PROCESSES])


def wires() -> str:
    """Return what processes talk over."""
    rows = [(" ↔ ".join(wire.between), wire.what, wire.carries, f"`{wire.made}`") for wire in WIRES]
    return table(("between", "over", "what crosses", "made by"), rows)


def threads() -> str:
    """Return every kind of thread beside the main one of a process."""
    head = ("process", "thread", "made in", "what it does", "what it owns")
    rows = [(row.process, row.name, f"`{row.module}`", row.does, row.owns) for row in THREADS]
    return table(head, rows)


def budgets() -> str:
    """Return what each kind of caller may take of the control sockets."""
    head = ("", *(en(kind.text) for kind in BUDGETS))
    each = list(BUDGETS.values())
    rows = [
        ("connections, in all", *(f"{one.places}" for one in each)),
        ("connections of one uid", *(f"{one.places_each}" for one in each)),
        ("questions answered at a time, in all", *(f"{one.running} of {QUESTIONS}" for one in each)),
        ("questions of one uid at a time", *(f"{one.running_each}" for one in each)),
        ("part of a thread's time for them", *(f"1/{one.parts:.0f}" if one.parts > 1 else "all" for one in each)),
        ("streams of one uid", *(f"{one.streams_each}" for one in each)),
        ("an idle connection is ended after", *(f"{one.idle_seconds:.0f} s" for one in each)),
        ("a request ends after its first byte within", *(f"{one.line_seconds:.0f} s" for one in each)),
        ("an answer is read within", *(f"{one.write_seconds:.0f} s" for one in each)),
        ("rest of a connection after an answer", *(f"{one.pause:g} s" if one.pause else "none" for one in each)),
        ("refused acts that become entries", *map(_refusals, (WITH_ROLE, WITHOUT, WITHOUT))),
    ]
    return table(head, rows) + "\n" + table(("of everybody", ""), _of_everybody())


def _of_everybody() -> list[tuple[str, str]]:
    telling = f"of a uid once in {EVERY / 60:.0f} minutes, of all together {MOST} times"
    return [
        ("bytes of a request", f"{SMALL:,}; {LARGE:,} once the caller is known to have a role"),
        ("connections taken from `control.sock`", f"{BATCH / REST:.0f} a second"),
        ("a lookup of a caller's groups", f"{LOOKUP:.0f} s, then the role is unknown; one of each uid at a time"),
        ("an act is done by groups looked up", f"{FRESH:.0f} s ago at the most"),
        ("who asks for too much is told of", f"after {ENOUGH} times in {WITHIN:.0f} s; {telling}"),
    ]


def _refusals(limits: RejectionLimits) -> str:
    of_all = f"in all {limits.burst_of_all} and one each {limits.refill_of_all:.0f} s"
    return f"of one uid {limits.burst} and one more each {limits.refill:.0f} s; {of_all}"


def layers() -> str:
    """Return the layers of the agent, top to bottom, and the other contracts about imports."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    [order] = [contract for contract in contracts if contract["type"] == "layers"]
    tower = "\n".join(_layer(line, order["containers"]) for line in order["layers"])
    rest = [
        (c["name"], _names(c["source_modules"]), _names(c["forbidden_modules"])) for c in contracts if c is not order
    ]
    return f"{tower}\n\n{table(('contract', 'who', 'never imports'), rest)}"


def _packages(top: Path) -> Iterator[tuple[str, str]]:
    """Yield the folders at and below *top* that say what they are, and the files of the agent that lie in none."""
    files = {*top.rglob("__init__.py"), *(top.glob("*.py") if top.name == "agent" else ())}
    for file in sorted(files, key=lambda file: _name(file).split("/")):
        said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
        if said and len(file.relative_to(ROOT).parts) <= _DEPTH + 1:
            yield _name(file), said.splitlines()[0]


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT)).removesuffix("/__init__.py")


def _edge(one: str, other: str, arrow: str, said: str) -> str:
    return f'    {_node(one)} {arrow}|"{said}"| {_node(other)}'


def _node(name: str) -> str:
    return name.replace(" ", "_")


def _process(row: ProcessRow) -> tuple[str, ...]:
    where = ", ".join(f"`{module}`" for module in row.where)
    starter = f"{row.starter}, which becomes it" if row.verb == "becomes" else row.starter
    by = "; ".join(part for part in (starter or "a person", where) if part)
    return f"**{row.name}**", f"`{row.entry}`", by, row.rights, row.loop, row.owns


def _layer(line: str, containers: list[str]) -> str:
    [container] = containers
    return f"1. {' · '.join(f'`{container}.{part.strip()}`' for part in line.split('|'))}"


def _names(modules: list[Any]) -> str:
    return ", ".join(f"`{module}`" for module in modules)
