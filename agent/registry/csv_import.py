"""Import of people from a CSV file: all or none, with every invalid line reported.

Rules of this file: the first line names the columns, in any order; only ``id`` is required. Several accounts or badges
are separated by blanks or semicolons. A row goes through the same writes as the command line, so it is refused for the
same reasons. An existing id is an invalid row, so that nothing an officer set is overwritten by mistake; only an import
with ``update`` changes it. Then an empty cell or a missing column changes nothing, and a cell with accounts or badges
replaces all accounts or badges of the person.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from typing import NamedTuple

from agent.errors import RefusedError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.model import Clearance, Level
from rules.text import Message, Sentence, series
from rules.visible import visible

COLUMNS = ("id", "name", "department", "level", "domain", "accounts", "badges")


class CsvPerson(NamedTuple):
    """One person of the file. *line* is the line on which the row begins, from 1."""

    line: int
    fields: dict[str, str]


class CsvProblem(NamedTuple):
    """The reason why one line cannot be imported."""

    line: int
    text: Sentence


class Imported(NamedTuple):
    """The number of people in the file, and how many of them were registered before."""

    people: int
    changed: int


class ImportRefusedError(RefusedError):
    """The refusal of an import; nothing was imported. ``problems`` has every invalid line, in order."""

    def __init__(self, problems: Sequence[CsvProblem], rows: int) -> None:
        self.problems = tuple(problems)
        super().__init__(
            Message(
                "registry.rows-not-imported",
                bad=len(problems),
                rows=rows,
                problems=series(Message("registry.at-line", line=line, text=text) for line, text in problems),
            ),
            Message("registry.correct-lines-and-import-again"),
        )


def read_csv(text: str) -> list[CsvPerson]:
    """Return the rows of a CSV file; raise :class:`ImportRefusedError` when its format is invalid."""
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    rows: list[CsvPerson] = []
    problems: list[CsvProblem] = []
    header: list[str] = []
    line = 1
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        problems.extend(CsvProblem(1, problem) for problem in _header_problems(header))
        line = reader.line_num + 1
        for cells in reader:
            if len(cells) > len(header):
                problems.append(CsvProblem(line, Message("registry.more-cells-than-columns")))
            elif any(cell.strip() for cell in cells):
                rows.append(CsvPerson(line, dict(zip(header, (cell.strip() for cell in cells), strict=False))))
            line = reader.line_num + 1
    except csv.Error as error:
        reason = visible(str(error))
        problems.append(CsvProblem(line, Message("registry.invalid-csv", reason=reason)))
    if problems:
        raise ImportRefusedError(problems, len(rows) + len(problems))
    return rows


def import_csv(
    change: RegistryTransaction,
    rows: Iterable[CsvPerson],
    *,
    approved_by: str = "",
    level_of: Callable[[str], Level] = Level.parse,
    update: bool = False,
) -> Imported:
    """Add every person with level, accounts and badges; with *update* change people already registered.

    *level_of* reads a cell of the column ``level`` (a pack also knows classes such as 核心) or raises ``ValueError``;
    the cell itself is stored as the printed label.
    Raises :class:`ImportRefusedError`, which must leave the block of the change so that all of it is rolled back.
    """
    problems: list[CsvProblem] = []
    imported = changed = 0
    for row in rows:
        is_known = update and change.people.exists(row.fields.get("id", ""))
        try:
            with change.attempt():
                (_update if is_known else _add)(change, row.fields, approved_by, level_of)
            imported += 1
            changed += is_known
        except RefusedError as refused:
            problems.append(CsvProblem(row.line, refused.text))
    if problems:
        raise ImportRefusedError(problems, imported + len(problems))
    return Imported(imported, changed)


def _header_problems(header: list[str]) -> list[Sentence]:
    problems: list[Sentence] = [Message("registry.unknown-column", name=name) for name in header if name not in COLUMNS]
    if "id" not in header:
        problems.append(Message("registry.column-id-missing"))
    if len(set(header)) < len(header):
        problems.append(Message("registry.duplicate-column"))
    return problems


def _add(
    change: RegistryTransaction, fields: dict[str, str], approved_by: str, level_of: Callable[[str], Level]
) -> None:
    person = fields.get("id", "")
    change.people.add(
        person,
        name=fields.get("name", ""),
        department=fields.get("department", ""),
        clearances=_clearances(fields.get("level", ""), fields.get("domain", ""), approved_by, level_of),
    )
    for uid in _several(fields.get("accounts", "")):
        change.accounts.add(_uid(uid), person)
    for badge in _several(fields.get("badges", "")):
        change.badges.add(badge, person)


def _update(
    change: RegistryTransaction, fields: dict[str, str], approved_by: str, level_of: Callable[[str], Level]
) -> None:
    person = fields["id"]
    change.people.set(person, name=fields.get("name") or None, department=fields.get("department") or None)
    for clearance in _clearances(fields.get("level", ""), fields.get("domain", ""), approved_by, level_of):
        change.people.set_clearance(person, clearance)
    if accounts := {_uid(uid) for uid in _several(fields.get("accounts", ""))}:
        had = change.accounts.of(person)
        for uid in sorted(had - accounts):
            change.accounts.remove(uid)
        for uid in sorted(accounts - had):
            change.accounts.add(uid, person)
    if badges := set(_several(fields.get("badges", ""))):
        have = change.badges.of(person)
        for number in sorted(have - badges):
            change.badges.remove(number)
        for number in sorted(badges - have):
            change.badges.add(number, person)


def _clearances(level: str, domain: str, approved_by: str, level_of: Callable[[str], Level]) -> tuple[Clearance, ...]:
    if not level and not domain:
        return ()
    try:
        return (Clearance(domain, level_of(level), label=level, approved_by=approved_by),)
    except ValueError:
        raise RefusedError(Message("registry.invalid-level", level=level)) from None


def _several(cell: str) -> list[str]:
    return cell.replace(";", " ").replace("；", " ").split()


def _uid(cell: str) -> int:
    if cell.isascii() and cell.isdigit() and len(cell) <= 10:
        return int(cell)
    raise RefusedError(Message("registry.invalid-uid", cell=cell))
