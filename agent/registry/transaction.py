"""One open change: the connection, its instant, its epoch, and the questions every write asks first.

Rules of this file: a refusal says why and what helps, and it ends the change: it must leave the block, or the
``attempt`` it happened in, because a write of several rows may have begun. What the site names itself (people, areas,
rooms, services, badges) must be plain to read and to type; what people write in their own words (names, reasons, notes)
is stored exactly as it came, control bytes included.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.errors import RefusedError
from agent.registry.columns import instant
from agent.registry.connect import translate_sqlite_errors
from rules.text import Text
from rules.visible import visible

PERSON = Text("person", "人员")
AREA = Text("area", "涉密目录")
ROOM = Text("room", "涉密场所")
SERVICE = Text("service", "服务账户")

_NAME_LIMIT = 128  # characters of an identifier
_WORDS_LIMIT = 2_000  # characters of free text: an act that carries it must fit one line of the log


class Transaction:
    """The part every kind of write shares. ``at`` is the instant of the change, ``epoch`` the one it will have."""

    def __init__(self, path: Path, connection: sqlite3.Connection, at: datetime, epoch: int) -> None:
        self.path = path
        self.at = at
        self.epoch = epoch
        self.open = True
        self._connection = connection
        self._at = instant(at)

    def bump(self) -> None:
        """Take the next epoch; the first write of every change."""
        self._run("UPDATE epoch SET epoch = ?, changed_at = ?", self.epoch, self._at)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Undo what the block wrote, and only that, when it raises; the change goes on."""
        self._run("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            self._run("ROLLBACK TO attempt")
            raise
        finally:
            self._run("RELEASE attempt")

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        if not self.open:
            raise RuntimeError("this change is already committed or rolled back")
        with translate_sqlite_errors(self.path):
            return self._connection.execute(statement, values)

    def _row(self, question: str, *values: object) -> tuple[Any, ...] | None:
        with translate_sqlite_errors(self.path):
            found = self._run(question, *values).fetchone()
        return None if found is None else tuple(found)

    def _add(self, statement: str, *values: object) -> int:
        number = self._run(statement, *values).lastrowid
        assert number is not None
        return number

    def _set(self, table: str, key: str, of: object, **columns: object) -> None:
        """Write the columns that are not ``None``; table and column names come from our own code only."""
        given = {name: value for name, value in columns.items() if value is not None}
        if given:
            assignments = ", ".join(f"{name} = ?" for name in given)
            self._run(f"UPDATE {table} SET {assignments} WHERE {key} = ?", *given.values(), of)  # noqa: S608

    def _need_person(self, person: str) -> None:
        if self._row("SELECT 1 FROM people WHERE id = ?", person) is None:
            raise unknown(PERSON, person, "shoumi person list")

    def _need_resource(self, name: str, kind: str = "%") -> int:
        """Return the key of the area or room."""
        found = self._row("SELECT key FROM resources WHERE name = ? AND kind LIKE ? AND removed_at IS NULL", name, kind)
        if found is not None:
            return int(found[0])
        match kind:
            case "area":
                raise unknown(AREA, name, "shoumi area list")
            case "room":
                raise unknown(ROOM, name, "shoumi room list")
            case _:
                raise unknown(Text("area or room", "涉密目录或场所"), name, "shoumi area list")


def identifier(value: str, what: Text) -> str:
    """Return *value* when it can name something: 1 to 128 plain characters, no blanks around, no leading - or /.

    Two names that look alike on a screen (invisible or bidirectional characters) would be an attack on the officer.
    """
    plain = bool(value) and value == value.strip() and visible(value) == value and len(value) <= _NAME_LIMIT
    if plain and value[0] not in "-/":
        return value
    raise RefusedError(
        Text(f"`{visible(value)}` cannot name a {what.en}", f"`{visible(value)}` 不能用作{what.zh}的标识"),
        Text(
            f"use 1 to {_NAME_LIMIT} visible characters without blanks around them, not starting with - or /",
            f"请使用 1 至 {_NAME_LIMIT} 个可见字符，首尾无空格，不以 - 或 / 开头",
        ),
    )


def words(value: str, what: Text, *, required: bool = False) -> str:
    """Return free text unchanged.

    Raises :class:`RefusedError` when it is too long, blank though required, or not text.
    """
    if required and not value.strip():
        raise RefusedError(
            Text(f"the {what.en} is missing", f"缺少{what.zh}"),
            Text(f"say the {what.en} in words", f"请写明{what.zh}"),
        )
    if len(value) > _WORDS_LIMIT:
        raise RefusedError(
            Text(f"the {what.en} has {len(value)} characters", f"{what.zh}长达 {len(value)} 个字符"),
            Text(f"use {_WORDS_LIMIT} at most", f"最多 {_WORDS_LIMIT} 个"),
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RefusedError(
            Text(f"the {what.en} `{visible(value)}` is not valid text", f"{what.zh} `{visible(value)}` 不是有效文本"),
            Text("give it in UTF-8", "请使用 UTF-8 编码"),
        ) from None
    return value


def unknown(what: Text, name: str, command: str) -> RefusedError:
    """Return the error for something the registry does not have; *command* lists what it has."""
    shown = visible(name)
    return RefusedError(
        Text(f"there is no {what.en} `{shown}`", f"没有{what.zh} `{shown}`"),
        Text(f"see `{command}`", f"参见 `{command}`"),
    )


def taken(what: Text, name: str, owner: str, hint: Text) -> RefusedError:
    """Return the error for something that is there already and belongs to *owner*."""
    whose_en = f" and belongs to `{visible(owner)}`" if owner else ""
    whose_zh = f"，属于 `{visible(owner)}`" if owner else ""
    shown = visible(name)
    return RefusedError(
        Text(f"{what.en} `{shown}` exists already{whose_en}", f"{what.zh} `{shown}` 已存在{whose_zh}"), hint
    )
