"""People from a CSV file: all of them or none, and every bad line named.

Rules of this file: the first line names the columns, in any order; only ``id`` must be there. Several accounts or
badges are separated by blanks or semicolons. A row goes through the same writes as the command line, so it is refused
for the same reasons. An id that exists is a bad row, so that nothing an officer set is overwritten by mistake; only an
import that updates changes it. Then an empty cell, or a column that is missing, leaves things as they are, and a cell
with accounts or badges names all the person has from then on.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from typing import NamedTuple

from agent.errors import RefusedError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.model import Clearance, Level
from rules.text import Text
from rules.visible import visible

COLUMNS = ("id", "name", "department", "level", "domain", "accounts", "badges")


class CsvPerson(NamedTuple):
    """One person as the file has it. *line* is where the row begins in the file, from 1."""

    line: int
    fields: dict[str, str]


class CsvProblem(NamedTuple):
    """Why one line cannot be imported."""

    line: int
    text: Text


class Imported(NamedTuple):
    """How many people the file had, and how many of them were there before."""

    people: int
    changed: int


class ImportRefusedError(RefusedError):
    """Nothing was imported. ``problems`` has every bad line, in order."""

    def __init__(self, problems: Sequence[CsvProblem], rows: int) -> None:
        self.problems = tuple(problems)
        english = "; ".join(f"line {line}: {text.en}" for line, text in problems)
        chinese = "；".join(f"第 {line} 行：{text.zh}" for line, text in problems)
        super().__init__(
            Text(
                f"{len(problems)} of {rows} rows cannot be imported: {english}",
                f"{rows} 行中有 {len(problems)} 行无法导入：{chinese}",
            ),
            Text(
                "nothing was imported; correct these lines and import again (--update: change people who exist)",
                "未导入任何人员；请更正后重新导入（--update：更新已登记的人员）",
            ),
        )


def read_csv(text: str) -> list[CsvPerson]:
    """Return the rows of a CSV file; raise :class:`ImportRefusedError` when its form is wrong."""
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    rows: list[CsvPerson] = []
    problems: list[CsvProblem] = []
    header: list[str] = []
    line = 1
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        problems.extend(CsvProblem(1, said) for said in _header_problems(header))
        line = reader.line_num + 1
        for cells in reader:
            if len(cells) > len(header):
                problems.append(CsvProblem(line, Text("more cells than columns", "单元格多于列数")))
            elif any(cell.strip() for cell in cells):
                rows.append(CsvPerson(line, dict(zip(header, (cell.strip() for cell in cells), strict=False))))
            line = reader.line_num + 1
    except csv.Error as error:
        why = visible(str(error))
        problems.append(CsvProblem(line, Text(f"not CSV: `{why}`", f"不是有效的 CSV：`{why}`")))
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
    """Add every person with level, accounts and badges; with *update* change those who are there already.

    *level_of* reads a cell of the column ``level`` (a pack knows classes like 核心 too) or raises ``ValueError``; the
    cell itself is kept as the printed label.
    Raises :class:`ImportRefusedError`, which must leave the block of the change so that all of it is rolled back.
    """
    problems: list[CsvProblem] = []
    done = changed = 0
    for row in rows:
        known = update and change.people.exists(row.fields.get("id", ""))
        try:
            with change.attempt():
                (_update if known else _add)(change, row.fields, approved_by, level_of)
            done += 1
            changed += known
        except RefusedError as refused:
            problems.append(CsvProblem(row.line, refused.text))
    if problems:
        raise ImportRefusedError(problems, done + len(problems))
    return Imported(done, changed)


def _header_problems(header: list[str]) -> list[Text]:
    found = [
        Text(f"unknown column `{visible(name)}`", f"未知的列 `{visible(name)}`")
        for name in header
        if name not in COLUMNS
    ]
    if "id" not in header:
        found.append(Text("the column `id` is missing", "缺少 `id` 列"))
    if len(set(header)) < len(header):
        found.append(Text("a column is named twice", "列名重复"))
    return found


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
        raise RefusedError(Text(f"`{visible(level)}` is not a level", f"`{visible(level)}` 不是密级")) from None


def _several(cell: str) -> list[str]:
    return cell.replace(";", " ").replace("；", " ").split()


def _uid(word: str) -> int:
    if word.isascii() and word.isdigit() and len(word) <= 10:
        return int(word)
    raise RefusedError(Text(f"`{visible(word)}` is not a uid", f"`{visible(word)}` 不是 uid"))
