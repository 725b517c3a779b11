"""Context of a command, and the shapes that most commands have.

Rules of this file: no command is named here. A command is an operation of the agent and a way to print its answer.
"""

import getpass
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.api.client import AgentClient
from agent.api.findings import Finding
from agent.api.operations import EACH, PLANNED, TABLE
from agent.api.operations.schema import Param
from agent.api.proposed import ProposedError, is_proposed
from agent.api.timestamps import local
from agent.cli.parser import Command
from agent.cli.terminal import Console
from agent.errors import FactorNeededError, RefusedError
from agent.presentation.os_errors import os_reason
from agent.presentation.table import pad
from agent.presentation.terms import YES_NO, Words, word
from agent.runtime.home import Home
from rules.model import Level
from rules.text import NOTHING, Message, Sentence
from rules.visible import visible

Json = Any
Args = dict[str, Any]
Run = Callable[["CliContext", Args], int]

SEVERITIES: Words = {"error": Message("cli.severity-error"), "warning": Message("common.warning")}
PLAN = Param("plan", "flag", Message("cli.param-plan"))


@dataclass(slots=True)
class CliContext:
    """One run of the program."""

    home: Home
    terminal: Console
    client: AgentClient

    def call(self, op: str, args: Args) -> Json:
        """Call *op* of the agent with those of *args* that the operation takes.

        Raises :class:`ProposedError` for an act that waits for a second officer.
        """
        wire = _wire(op, args)
        try:
            answer = self.client.call(op, **wire)
        except FactorNeededError:
            if not sys.stdin.isatty():
                raise
            secret = getpass.getpass(self.terminal.say(Message("cli.prompt-second-factor")))
            self.client.call("factor.give", secret=secret)
            answer = self.client.call(op, **wire)
        if TABLE[op].act and is_proposed(answer):
            raise ProposedError(answer)
        return answer

    def stream(self, op: str, args: Args) -> Iterable[Json]:
        """Call *op* of the agent, and return its items as they arrive."""
        return self.client.stream(op, **_wire(op, args))


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """A column of a list: its heading, and the cell of a row."""

    heading: Sentence
    cell: Callable[[dict[str, Json]], object]


def column(heading: Sentence, key: str) -> OutputColumn:
    """Return a column that shows one field unchanged."""
    return OutputColumn(heading, lambda row: row.get(key))


def coded(heading: Sentence, key: str, terms: Words) -> OutputColumn:
    """Return a column that shows the term for the code in one field (:mod:`agent.presentation.terms`)."""
    return OutputColumn(heading, lambda row: word(terms, row[key]) if row.get(key) else None)


def flag(heading: Sentence, key: str) -> OutputColumn:
    """Return a column that shows yes or no."""
    return OutputColumn(heading, lambda row: YES_NO["yes" if row.get(key) else "no"])


def moment(heading: Sentence, key: str) -> OutputColumn:
    """Return a column that shows an instant in the host's time."""
    return OutputColumn(heading, lambda row: local(row[key]) if row.get(key) else None)


def command(
    op: str, run: Run, *, names: Sequence[str] = (), extra: Sequence[Param] = (), note: Sentence = NOTHING
) -> Command:
    """Return the command of an operation: ``person.add`` → ``person add``. ``note`` stands at the end of its help."""
    operation = TABLE[op]
    path = tuple(names) or tuple(op.split("."))
    return Command(path, operation.help, (*operation.params, *extra), run, note=note)


def listing(op: str, columns: Sequence[OutputColumn], empty: Sentence) -> Command:
    """Return a command that prints a list: a table, or one JSON object per line."""

    def run(context: CliContext, args: Args) -> int:
        return table(context, context.stream(op, args), columns, empty)

    return command(op, run)


def table(context: CliContext, rows: Iterable[Json], columns: Sequence[OutputColumn], empty: Sentence) -> int:
    """Print rows, and return the exit code."""
    terminal = context.terminal
    if terminal.json:
        for row in rows:
            terminal.emit(row)
        return 0
    cells = [[column.cell(row) for column in columns] for row in rows]
    if cells:
        terminal.table([column.heading for column in columns], cells)
    else:
        terminal.talk(empty)
    return 0


def act(op: str, sentence: Callable[[dict[str, Json]], Sentence], *, names: Sequence[str] = ()) -> Command:
    """Return a command that does an act and prints *sentence* on it; one that takes rights has ``--plan``."""
    extra = (PLAN,) if op in PLANNED else ()

    def run(context: CliContext, args: Args) -> int:
        if args.get("plan"):
            return planned(context, op, _wire(op, args))
        answer = context.call(op, args)
        context.terminal.emit(answer, sentence(answer), *losses(answer))
        return 0

    return command(op, run, names=names, extra=extra)


def losses(answer: Mapping[str, Json]) -> Iterator[Sentence]:
    """Yield the command that shows the receipts of the people who lost access by an act, if anybody did."""
    if not (names := answer.get("losses")):
        return
    count, first, last = len(names), names[0], names[-1]
    receipts = first if count == 1 else Message("cli.range", first=first, last=last)
    if count <= EACH:
        line = f"shoumi case receipt {first} --wait"
        yield Message("cli.people-lose-access", count=count, receipts=receipts, command=line)
    else:
        yield Message("cli.many-people-lose-access", count=count, receipts=receipts)


def planned(context: "CliContext", op: str, arguments: dict[str, Json]) -> int:
    """Print what *op* with *arguments* would take; change nothing."""
    from agent.cli.pages import loss_plan  # it imports this file

    return loss_plan.show(context, op, arguments)


def findings(context: CliContext, rows: Iterable[Json]) -> bool:
    """Print findings with their hints; return whether one of them is a gap."""
    marks = {
        "good": Message("cli.finding-ok"),
        "warning": Message("cli.finding-note"),
        "serious": Message("cli.finding-gap"),
    }
    serious = False
    for finding in map(Finding.from_json, rows):
        serious = serious or finding.state == "serious"
        terminal = context.terminal
        terminal.line(f"{pad(terminal.say(marks[finding.state]), 4)}  {terminal.say(finding.text)}")
        if finding.hint:
            terminal.line(f"      → {terminal.say(finding.hint)}")
    return serious


def level(name: str) -> Sentence:
    """Return the term for a level."""
    return Level.parse(name).text


def printable(content: object) -> str:
    """Return a foreign value that is safe to print in a sentence."""
    return visible(str(content))


def file_text(path: str) -> str:
    """Return the text of a file, or of stdin for ``-``; raise :class:`RefusedError` when it cannot be read."""
    try:
        with open(0 if path == "-" else path, encoding="utf-8", closefd=path != "-", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(Message("cli.file-read-failed", path=path, reason=os_reason(error))) from None


def _wire(op: str, args: Args) -> Args:
    arguments = {}
    for param in TABLE[op].params:
        argument = args.get(param.name)
        if isinstance(argument, str) and (param.kind == "path" or (param.kind == "target" and _is_path(argument))):
            argument = os.path.abspath(argument)  # noqa: PTH100 - links stay: the agent resolves them with its own rights
        arguments[param.name] = argument
    return arguments


def _is_path(argument: str) -> bool:
    return "/" in argument or Path(argument).exists()
