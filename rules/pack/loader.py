"""Loader of a parsed pack: from TOML values to the classes of :mod:`rules.pack.model`, or a list of problems.

Rules of this file: the walk never stops at the first problem and never guesses; it returns a pack only without any
problem.
"""

from collections.abc import Mapping
from typing import Any

from rules.pack import values as read
from rules.pack.model import Pack
from rules.pack.problem import PackProblem, Path, WrongValueError
from rules.pack.schema import FAMILIES, HEAD, HEAD_MUST, SOURCE, TABLES, TABLES_MUST, Reader, TableSchema
from rules.pack.toml_lines import line_of
from rules.text import Message, Sentence


class Walk:
    """One walk over a parsed pack. ``problems`` collects all problems; the walk goes on after each."""

    def __init__(self, lines: Mapping[Path, int], known_clauses: frozenset[str] | None) -> None:
        self.problems: list[PackProblem] = []
        self._lines = lines
        self._known_clauses = known_clauses

    def pack(self, raw: Mapping[str, object]) -> Pack | None:
        """Return the pack in *raw*; ``None`` if any part of it could not be read."""
        head = {key: raw[key] for key in raw if key in HEAD}
        values = self._values(HEAD, HEAD_MUST, head, ())
        allowed = (*HEAD, *TABLES, *FAMILIES)
        for name in raw:
            if name not in allowed:
                self._unknown(name, allowed, ())
        for name in TABLES_MUST:
            if name not in raw:
                self._missing(f"[{name}]", ())
        for name, table in TABLES.items():
            if name in raw:
                values[name] = self._read_table(table, raw[name], (name,))
        for name, table in FAMILIES.items():
            if name in raw and (members := self._table(raw[name], (name,))) is not None:
                values[name] = {key: self._read_table(table, member, (name, key)) for key, member in members.items()}
        return None if self.problems else Pack(**values)

    def _read_table(self, table: TableSchema, raw: object, path: Path) -> Any:
        settings = self._table(raw, path)
        if settings is None:
            return None
        keys = {**SOURCE, **table.keys}
        for name in settings:
            if name not in keys:
                self._unknown(name, tuple(keys), path)
        values = self._values(keys, table.must, settings, path)
        for name in values.get("site", ()):
            if name not in table.keys:
                text = Message("pack.site-setting-unknown", setting=read.quoted(name))
                self._wrong(text, read.nearest(name, tuple(table.keys)), (*path, "site"))
        return None if self.problems else table.make(**values)

    def _values(
        self, keys: Mapping[str, Reader], must: tuple[str, ...], raw: Mapping[str, object], path: Path
    ) -> dict[str, Any]:
        values = {}
        for name in must:
            if name not in raw:
                self._missing(f"`{name}`", path)
        for name, reader in keys.items():
            if name not in raw:
                continue
            try:
                values[name] = reader(raw[name])
            except WrongValueError as wrong:
                self._wrong(wrong.text, wrong.hint, (*path, name, *wrong.at))
                continue
            if reader is read.clauses:
                self._clauses(values[name], (*path, name))
        return values

    def _clauses(self, clauses: tuple[str, ...], path: Path) -> None:
        for clause in clauses:
            if self._known_clauses is not None and clause not in self._known_clauses:
                text = Message("pack.clause-unknown", clause=clause)
                self._wrong(text, read.nearest(clause, self._known_clauses), path)

    def _table(self, raw: object, path: Path) -> Mapping[str, object] | None:
        if isinstance(raw, dict):
            return raw
        text = Message("pack.expected-table", actual=read.quoted(raw))
        self._wrong(text, Message("pack.write-table", table=".".join(path)), path)
        return None

    def _unknown(self, name: str, allowed: tuple[str, ...], path: Path) -> None:
        text = Message("pack.setting-unknown", setting=read.quoted(name))
        self._wrong(text, read.nearest(name, allowed), (*path, name))

    def _missing(self, setting: str, path: Path) -> None:
        self._wrong(
            Message("pack.setting-missing", setting=setting), Message("pack.add-setting", setting=setting), path
        )

    def _wrong(self, text: Sentence, hint: Sentence, path: Path) -> None:
        self.problems.append(PackProblem(line_of(self._lines, path), text, hint))
