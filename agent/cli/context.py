"""What a command works with, and the few shapes most commands have.

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
from agent.cli.say import Console
from agent.errors import FactorNeededError, RefusedError
from agent.presentation.table import pad
from agent.presentation.terms import YES_NO, Words, word
from agent.runtime.home import Home
from rules.model import Level
from rules.text import Text
from rules.visible import visible

Json = Any
Args = dict[str, Any]
Run = Callable[["CliContext", Args], int]

PLAN = Param("plan", "flag", Text("say who would lose what, and do nothing", "只预演谁会失去哪些权限，不执行"))


@dataclass(slots=True)
class CliContext:
    """One run of the program."""

    home: Home
    terminal: Console
    client: AgentClient

    def call(self, op: str, args: Args) -> Json:
        """Ask the agent for *op*, with what of *args* the operation takes.

        Raises :class:`ProposedError` for an act that waits for a second officer now.
        """
        wire = _wire(op, args)
        try:
            answer = self.client.call(op, **wire)
        except FactorNeededError:
            if not sys.stdin.isatty():
                raise
            secret = getpass.getpass(self.terminal.say(Text("second factor: ", "二次认证：")))
            self.client.call("factor.give", secret=secret)
            answer = self.client.call(op, **wire)
        if TABLE[op].act and is_proposed(answer):
            raise ProposedError(answer)
        return answer

    def stream(self, op: str, args: Args) -> Iterable[Json]:
        """Ask the agent for *op*, and return its items as they come."""
        return self.client.stream(op, **_wire(op, args))


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """A column of a list: its heading, and the cell of a row."""

    heading: Text
    cell: Callable[[dict[str, Json]], object]


def column(en: str, zh: str, key: str) -> OutputColumn:
    """Return a column that shows one field as it is."""
    return OutputColumn(Text(en, zh), lambda row: row.get(key))


def coded(en: str, zh: str, key: str, words: Words) -> OutputColumn:
    """Return a column that says the code in one field in words (:mod:`agent.presentation.terms`)."""
    return OutputColumn(Text(en, zh), lambda row: word(words, row[key]) if row.get(key) else None)


def flag(en: str, zh: str, key: str) -> OutputColumn:
    """Return a column that says yes or no."""
    return OutputColumn(Text(en, zh), lambda row: YES_NO["yes" if row.get(key) else "no"])


def moment(en: str, zh: str, key: str) -> OutputColumn:
    """Return a column that shows an instant in the host's time."""
    return OutputColumn(Text(en, zh), lambda row: local(row[key]) if row.get(key) else None)


def command(op: str, run: Run, *, words: Sequence[str] = (), extra: Sequence[Param] = ()) -> Command:
    """Return the command of an operation: ``person.add`` → ``person add``."""
    operation = TABLE[op]
    return Command(tuple(words) or tuple(op.split(".")), operation.help, (*operation.params, *extra), run)


def listing(op: str, columns: Sequence[OutputColumn], empty: Text) -> Command:
    """Return a command that prints a list: a table, or one JSON object a line."""

    def run(context: CliContext, args: Args) -> int:
        return table(context, context.stream(op, args), columns, empty)

    return command(op, run)


def table(context: CliContext, items: Iterable[Json], columns: Sequence[OutputColumn], empty: Text) -> int:
    """Print rows, and return the exit code."""
    terminal = context.terminal
    if terminal.json:
        for item in items:
            terminal.data(item)
        return 0
    rows = [[_said(terminal, column.cell(item)) for column in columns] for item in items]
    if rows:
        terminal.table([column.heading for column in columns], rows)
    else:
        terminal.talk(empty)
    return 0


def _said(terminal: Console, value: object) -> object:
    """Return *value* with what is there in both languages said in the one of *terminal*."""
    if isinstance(value, Text):
        return terminal.say(value)
    return [_said(terminal, one) for one in value] if isinstance(value, list) else value


def act(op: str, said: Callable[[dict[str, Json]], Text], *, words: Sequence[str] = ()) -> Command:
    """Return a command that does an act and says what was done; one that takes rights has ``--plan``."""
    extra = (PLAN,) if op in PLANNED else ()

    def run(context: CliContext, args: Args) -> int:
        if args.get("plan"):
            return planned(context, op, _wire(op, args))
        result = context.call(op, args)
        context.terminal.data(result, said(result), *losses(result))
        return 0

    return command(op, run, words=words, extra=extra)


def losses(result: Mapping[str, Json]) -> Iterator[Text]:
    """Yield where the receipts are of those who lost something by an act: nothing when nobody did."""
    if not (names := result.get("losses")):
        return
    count, first, last = len(names), names[0], names[-1]
    line = f"shoumi case receipt {first} --wait"
    if count == 1:
        yield Text(f"1 person loses something: {line}", f"1 人失去权限：{line}")
    elif count <= EACH:
        yield Text(f"{count} people lose something, {first} to {last}: {line}",
                   f"{count} 人失去权限，{first} 至 {last}：{line}")  # fmt: skip
    else:
        yield Text(f"{count} people lose something, {first} to {last}; whoever held something by then has a receipt",
                   f"{count} 人失去权限，{first} 至 {last}；当时持有文件者有回执")  # fmt: skip


def planned(context: "CliContext", op: str, given: dict[str, Json]) -> int:
    """Show what *op* with the arguments *given* would take, and do nothing."""
    from agent.cli.pages import loss_plan  # it is shown with the words of this file

    return loss_plan.show(context, op, given)


def findings(context: CliContext, found: Iterable[Json]) -> bool:
    """Print findings with their hints; return whether one of them is serious."""
    words = {"good": Text("ok", "正常"), "warning": Text("note", "注意"), "serious": Text("GAP", "缺口")}
    serious = False
    for item in map(Finding.from_json, found):
        serious = serious or item.state == "serious"
        terminal = context.terminal
        terminal.line(f"{pad(terminal.say(words[item.state]), 4)}  {terminal.say(item.text)}")
        if item.hint:
            terminal.line(f"      → {terminal.say(item.hint)}")
    return serious


def text(wire: dict[str, str]) -> Text:
    """Return a sentence the agent sent."""
    return Text(wire["en"], wire["zh"])


def level(word: str) -> Text:
    """Return a level in both languages."""
    return Level.parse(word).text


def shown(value: object) -> str:
    """Return a foreign value as it may stand in a sentence."""
    return visible(str(value))


def file_text(path: str) -> str:
    """Return the text of a file, or of stdin for ``-``; raise :class:`RefusedError` when it cannot be read."""
    said = visible(path)
    try:
        with open(0 if path == "-" else path, encoding="utf-8", closefd=path != "-", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        why = visible(error.strerror if isinstance(error, OSError) and error.strerror else str(error))
        raise RefusedError(Text(f"cannot read `{said}`: {why}", f"无法读取 `{said}`：{why}")) from None


def _wire(op: str, args: Args) -> Args:
    given = {}
    for param in TABLE[op].params:
        value = args.get(param.name)
        if isinstance(value, str) and (param.kind == "path" or (param.kind == "target" and _is_path(value))):
            value = os.path.abspath(value)  # noqa: PTH100 - links stay: the agent resolves them with its own rights
        given[param.name] = value
    return given


def _is_path(word: str) -> bool:
    return "/" in word or Path(word).exists()
