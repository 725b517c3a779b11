"""The sections of ``docs/architecture.md`` that are made: folders, processes, threads, directions of imports.

Rules of this file: the page is written by hand but for what stands between two marks; ``reference.py`` writes it.
"""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import ROOT
from tests.docs.markdown import code, filled, table
from tests.docs.processes import PROCESSES, WIRES, ProcessRow
from tests.docs.threads import THREADS

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
