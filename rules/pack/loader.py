"""One walk over a parsed pack: from plain values to the classes of :mod:`rules.pack.model`, or a list of problems.

Rules of this file: the walk never stops at the first problem and never guesses; a pack comes out only of none at all.
"""

from collections.abc import Mapping
from typing import Any

from rules.pack import values as read
from rules.pack.model import Pack
from rules.pack.problem import PackProblem, Path, WrongValueError
from rules.pack.schema import FAMILIES, HEAD, HEAD_MUST, SOURCE, TABLES, TABLES_MUST, Reader, TableSchema
from rules.pack.toml_lines import line_of
from rules.text import Text
from rules.visible import visible


class Walk:
    """One walk over a parsed pack. ``problems`` collects what was found; the walk goes on after each of them."""

    def __init__(self, lines: Mapping[Path, int], known_clauses: frozenset[str] | None) -> None:
        self.problems: list[PackProblem] = []
        self._lines = lines
        self._known_clauses = known_clauses

    def pack(self, raw: Mapping[str, object]) -> Pack | None:
        """Return the pack in *raw*; ``None`` if any part of it could not be read."""
        head = {key: raw[key] for key in raw if key in HEAD}
        values = self._values(HEAD, HEAD_MUST, head, ())
        known = (*HEAD, *TABLES, *FAMILIES)
        for name in raw:
            if name not in known:
                self._unknown(name, known, ())
        for name in TABLES_MUST:
            if name not in raw:
                self._missing(f"[{name}]", ())
        for name, table in TABLES.items():
            if name in raw:
                values[name] = self._one(table, raw[name], (name,))
        for name, table in FAMILIES.items():
            if name in raw and (members := self._table(raw[name], (name,))) is not None:
                values[name] = {key: self._one(table, item, (name, key)) for key, item in members.items()}
        return None if self.problems else Pack(**values)

    def _one(self, table: TableSchema, raw: object, path: Path) -> Any:
        found = self._table(raw, path)
        if found is None:
            return None
        keys = {**SOURCE, **table.keys}
        for name in found:
            if name not in keys:
                self._unknown(name, tuple(keys), path)
        values = self._values(keys, table.must, found, path)
        for name in values.get("site", ()):
            if name not in table.keys:
                said = read.quoted(name)
                text = Text(f"{said} in `site` is no setting of this table", f"`site` 中的 {said} 不是本表的设置")
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
                text = Text(f"no regulation has a clause `{clause}`", f"各项规章中没有条款 `{clause}`")
                self._wrong(text, read.nearest(clause, self._known_clauses), path)

    def _table(self, raw: object, path: Path) -> Mapping[str, object] | None:
        if isinstance(raw, dict):
            return raw
        said, shown = read.quoted(raw), visible(".".join(path))
        text = Text(f"expected a table, found {said}", f"应为表，实为 {said}")
        self._wrong(text, Text(f"write `[{shown}]`", f"请写 `[{shown}]`"), path)
        return None

    def _unknown(self, name: str, known: tuple[str, ...], path: Path) -> None:
        said = read.quoted(name)
        text = Text(f"{said} is no setting here", f"此处没有设置 {said}")
        self._wrong(text, read.nearest(name, known), (*path, name))

    def _missing(self, what: str, path: Path) -> None:
        self._wrong(Text(f"{what} is missing", f"缺少 {what}"), Text(f"add {what}", f"请补上 {what}"), path)

    def _wrong(self, text: Text, hint: Text, path: Path) -> None:
        self.problems.append(PackProblem(line_of(self._lines, path), text, hint))
