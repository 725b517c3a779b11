"""The shape of an operation, and the strict reading of its arguments.

Rules of this file: pure. What an operation does not name, it does not take; what it names arrives at the handler in
one known type. Identifiers stay the site's own strings; only what SQLite and UTF-8 cannot hold is refused here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Literal

from agent.api.roles import Role
from agent.api.timestamps import instant
from agent.errors import UsageError
from rules.model import Level
from rules.text import Text
from rules.visible import visible

Kind = Literal[
    "text", "path", "target", "number", "flag", "level", "since", "until", "texts", "numbers", "levels", "file"
]

Zone = tzinfo | None  # None: the host's own
SYSTEM = frozenset({Role.SYSTEM})
SECURITY = frozenset({Role.SECURITY})
AUDITOR = frozenset({Role.AUDITOR})
OFFICERS = SYSTEM | SECURITY
ANY = OFFICERS | AUDITOR
EVERYBODY: frozenset[Role] | None = None  # also a caller without a role


@dataclass(frozen=True, slots=True)
class Param:
    """One argument. ``since`` and ``until`` are instants: a bare date means its start, or its end.

    ``target`` is an absolute path or the name of an area.
    ``levels`` is a list of ``LEVEL`` or ``DOMAIN=LEVEL``; ``file`` the text of a file. ``roles``
    narrows the operation's: an account given with a new person needs the system administrator, a level the officer.
    A ``secret`` is in no entry, not even in that of a refusal.
    """

    name: str
    kind: Kind
    help: Text
    required: bool = False
    positional: bool = False
    roles: frozenset[Role] | None = None
    metavar: str = ""
    choices: tuple[str, ...] = ()
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing the agent can be asked.

    ``act``: it changes something, is one registry transaction, and is an entry before it takes effect.
    ``read_entry``: it shows the log, which is itself recorded. ``stream``: it answers with any number of items.
    """

    name: str
    help: Text
    roles: frozenset[Role] | None
    params: tuple[Param, ...] = ()
    act: bool = False
    stream: bool = False
    read_entry: bool = False

    def allowed(self, args: Mapping[str, object]) -> list[frozenset[Role]]:
        """Return the role sets a caller must satisfy, each of them, for a call with these arguments."""
        sets = [] if self.roles is None else [self.roles]
        sets += [param.roles for param in self.params if param.roles is not None and param.name in args]
        return sets

    def recorded(self, args: Mapping[str, object]) -> dict[str, object]:
        """Return *args* as an entry may repeat them."""
        secrets = {param.name for param in self.params if param.secret}
        return {name: "…" if name in secrets else value for name, value in args.items()}

    def read(self, args: Mapping[str, object], zone: Zone) -> "Arguments":
        """Return *args* in their types; raise :class:`UsageError` for one that is missing, unknown or not understood.

        ``zone`` is where a date without a time or a time without an offset is read.
        """
        known = {p.name: p for p in self.params}
        for name in args:
            if name not in known:
                said = visible(name)
                raise UsageError(Text(f"`{self.name}` takes no `{said}`", f"`{self.name}` 没有参数 `{said}`"))
        values: dict[str, object] = {}
        for param in self.params:
            given = args.get(param.name)
            if given is None or given == []:
                if param.required:
                    raise UsageError(Text(f"`{self.name}` needs `{param.name}`", f"`{self.name}` 缺少 `{param.name}`"))
            else:
                values[param.name] = _READ[param.kind](param, given, zone)
        return Arguments(values)


@dataclass(frozen=True, slots=True)
class Arguments:
    """Arguments of one call, read. The getters state the type; absent is ``""``, ``None``, ``False`` or ``()``."""

    values: Mapping[str, object] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str) -> str:
        """Return a ``text``, ``path`` or ``target``."""
        value = self.values.get(name, "")
        assert isinstance(value, str)
        return value

    def maybe(self, name: str) -> str | None:
        """Return a ``text``, ``path`` or ``target``, ``None`` when it was not given."""
        return self.text(name) if name in self.values else None

    def number(self, name: str, default: int | None = None) -> int | None:
        """Return a ``number``."""
        value = self.values.get(name, default)
        assert value is None or isinstance(value, int)
        return value

    def flag(self, name: str) -> bool:
        """Return a ``flag``."""
        return bool(self.values.get(name))

    def level(self, name: str) -> Level | None:
        """Return a ``level``."""
        value = self.values.get(name)
        assert value is None or isinstance(value, Level)
        return value

    def instant(self, name: str) -> datetime | None:
        """Return a ``since`` or ``until``, in UTC."""
        value = self.values.get(name)
        assert value is None or isinstance(value, datetime)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a ``texts``."""
        value = self.values.get(name, ())
        assert isinstance(value, tuple)
        return value

    def levels(self, name: str) -> tuple[tuple[str, Level], ...]:
        """Return a ``levels``: pairs of domain and level; the domain is ``""`` where none was written."""
        value = self.values.get(name, ())
        assert isinstance(value, tuple)
        return value

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return a ``numbers``."""
        value = self.values.get(name, ())
        assert isinstance(value, tuple)
        return value


def _text(param: Param, given: object, _zone: Zone) -> str:
    if not isinstance(given, str):
        raise _not(param, "a string", "字符串")
    if any(0xD800 <= ord(c) <= 0xDFFF for c in given) or "\0" in given:
        raise _not(param, "text that UTF-8 can hold", "可用 UTF-8 表示的文本")
    if param.choices and given not in param.choices:
        right = ", ".join(param.choices)
        raise _not(param, f"one of {right}", f"以下之一：{right}")
    return given


def _path(param: Param, given: object, _zone: Zone) -> str:
    # Lone surrogates stay: they are how Python carries a path that is not UTF-8.
    if not isinstance(given, str) or not given.startswith("/") or "\0" in given:
        raise _not(param, "an absolute path", "绝对路径")
    return given


def _target(param: Param, given: object, zone: Zone) -> str:
    return (_path if isinstance(given, str) and given.startswith("/") else _text)(param, given, zone)


def _number(param: Param, given: object, _zone: Zone) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given < 1 << 63:
        raise _not(param, "a whole number", "非负整数")
    return given


def _flag(param: Param, given: object, _zone: Zone) -> bool:
    if not isinstance(given, bool):
        raise _not(param, "true or false", "true 或 false")
    return given


def _level(param: Param, given: object, _zone: Zone) -> Level:
    try:
        return Level.parse(str(given))
    except ValueError:
        right = ", ".join(level.word for level in Level)
        zh = "、".join(level.text.zh for level in Level)
        raise _not(param, f"a level ({right})", f"密级（{zh}）") from None


def _since(param: Param, given: object, zone: Zone) -> datetime:
    return _moment(param, given, zone, end=False)


def _until(param: Param, given: object, zone: Zone) -> datetime:
    return _moment(param, given, zone, end=True)


def _moment(param: Param, given: object, zone: Zone, *, end: bool) -> datetime:
    try:
        return instant(str(given), zone, end=end)
    except ValueError:
        shapes = "2026-12-31, 2026-12-31T17:00, 2026-12-31T09:00:00Z"
        raise _not(param, f"a date or a time ({shapes})", f"日期或时间（{shapes}）") from None


def _texts(param: Param, given: object, zone: Zone) -> tuple[str, ...]:
    if not isinstance(given, list):
        raise _not(param, "a list of strings", "字符串列表")
    return tuple(_text(param, one, zone) for one in given)


def _levels(param: Param, given: object, zone: Zone) -> tuple[tuple[str, Level], ...]:
    pairs = []
    for word in _texts(param, given, zone):
        domain, equals, level = word.rpartition("=")
        if equals and not domain:
            raise _not(param, "LEVEL or DOMAIN=LEVEL", "“密级”或“种类=密级”")
        pairs.append((domain, _level(param, level, zone)))
    return tuple(pairs)


def _numbers(param: Param, given: object, zone: Zone) -> tuple[int, ...]:
    if not isinstance(given, list):
        raise _not(param, "a list of whole numbers", "非负整数列表")
    return tuple(_number(param, one, zone) for one in given)


_READ = {
    "text": _text,
    "path": _path,
    "target": _target,
    "number": _number,
    "flag": _flag,
    "level": _level,
    "since": _since,
    "until": _until,
    "texts": _texts,
    "levels": _levels,
    "numbers": _numbers,
    "file": _text,
}


def _not(param: Param, en: str, zh: str) -> UsageError:
    return UsageError(Text(f"`{param.name}` must be {en}", f"`{param.name}` 应为{zh}"))
