"""The shape of an operation, and the strict reading of its arguments.

Rules of this file: pure. What an operation does not name, it does not take; what it names arrives at the handler in
one known type. Identifiers stay the site's own strings; only what SQLite and UTF-8 cannot hold is refused here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from agent.api.roles import Role
from agent.api.timestamps import instant
from agent.errors import UsageError
from rules.model import Level
from rules.text import Text
from rules.visible import visible

Kind = Literal[
    "text", "path", "target", "number", "flag", "level", "since", "until", "hour", "texts", "numbers", "levels", "file"
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

    ``target`` is an absolute path or the name of an area; ``hour`` a time of day, ``""`` for ``never``.
    ``levels`` is a list of ``LEVEL`` or ``DOMAIN=LEVEL``; ``file`` the text of a file. ``roles``
    narrows the operation's: an account given with a new person needs the system administrator, a level the officer.
    A ``secret`` is in no entry, not even in that of a refusal. ``bare`` is what the option means without a value.
    With ``gives`` it may give access, whatever its value: the act needs two hands.
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
    bare: str = ""
    gives: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing the agent can be asked.

    ``act``: it changes something, is one registry transaction, and is an entry before it takes effect.
    ``read_entry``: it shows the log, which is itself recorded. ``stream``: it answers with any number of items.
    ``gives``: it gives access by what it is, and needs two hands; of other acts the rights before and after say so.
    ``rehearses``: a question that tries an act on a copy of the registry; such are answered one at a time.
    """

    name: str
    help: Text
    roles: frozenset[Role] | None
    params: tuple[Param, ...] = ()
    act: bool = False
    stream: bool = False
    read_entry: bool = False
    gives: bool = False
    rehearses: bool = False

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
                values[param.name] = _read(param, given, zone)
        return Arguments(values)


@dataclass(frozen=True, slots=True)
class Arguments:
    """Arguments of one call, read. The getters state the type; absent is ``""``, ``None``, ``False`` or ``()``."""

    values: Mapping[str, object] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str) -> str:
        """Return a ``text``, ``path``, ``target`` or ``hour``."""
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


class _Reading(NamedTuple):
    """How a kind is read: strictly as ``type``, then by ``then``; and what is said when either finds it wrong."""

    type: Any
    en: str
    zh: str
    then: Callable[[Any, Zone], object] = lambda value, _zone: value


def _domain_and_level(word: str) -> tuple[str, Level]:
    domain, equals, level = word.rpartition("=")
    if equals and not domain:
        raise ValueError(word)
    return domain, Level.parse(level)


_Utf8 = Annotated[str, Meta(pattern=r"\A[^\0\ud800-\udfff]*\Z")]
_Path = Annotated[str, Meta(pattern=r"\A/[^\0]*\Z")]  # lone surrogates are how Python carries what is not UTF-8
_Hour = Annotated[str, Meta(pattern=r"\A(([01][0-9]|2[0-3]):[0-5][0-9]|never)\Z")]
_Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_LEVELS = ", ".join(level.word for level in Level), "、".join(level.text.zh for level in Level)
_MOMENTS = "2026-12-31, 2026-12-31T17:00, 2026-12-31T09:00:00Z"

_TEXT = _Reading(_Utf8, "text that UTF-8 can hold", "可用 UTF-8 表示的文本")
_MOMENT = _Reading(str, f"a date or a time ({_MOMENTS})", f"日期或时间（{_MOMENTS}）", instant)
_KINDS: Mapping[Kind, _Reading] = {
    "text": _TEXT,
    "file": _TEXT,
    "path": _Reading(_Path, "an absolute path", "绝对路径"),
    "number": _Reading(_Number, "a whole number", "非负整数"),
    "flag": _Reading(bool, "true or false", "true 或 false"),
    "level": _Reading(str, f"a level ({_LEVELS[0]})", f"密级（{_LEVELS[1]}）", lambda word, _: Level.parse(word)),
    "since": _MOMENT,
    "until": _MOMENT._replace(then=partial(instant, end=True)),
    "hour": _Reading(
        _Hour,
        "a time of day such as 04:00, or never",
        "一天中的时刻，如 04:00；不设写 never",
        lambda word, _: word.removesuffix("never"),
    ),
    "texts": _Reading(tuple[_Utf8, ...], "a list of texts that UTF-8 can hold", "可用 UTF-8 表示的文本列表"),
    "numbers": _Reading(tuple[_Number, ...], "a list of whole numbers", "非负整数列表"),
    "levels": _Reading(
        tuple[_Utf8, ...],
        f"a list of LEVEL or DOMAIN=LEVEL ({_LEVELS[0]})",
        f"“密级”或“种类=密级”的列表（{_LEVELS[1]}）",
        lambda words, _: tuple(map(_domain_and_level, words)),
    ),
}


def _read(param: Param, given: object, zone: Zone) -> object:
    kind = param.kind
    if kind == "target":
        kind = "path" if isinstance(given, str) and given.startswith("/") else "text"
    reading = _KINDS[kind]
    try:
        value = reading.then(msgspec.convert(given, reading.type, strict=True), zone)
    except ValueError:  # msgspec's own errors are such too
        raise _not(param, reading.en, reading.zh) from None
    if param.choices and value not in param.choices:
        right = ", ".join(param.choices)
        raise _not(param, f"one of {right}", f"以下之一：{right}")
    return value


def _not(param: Param, en: str, zh: str) -> UsageError:
    return UsageError(Text(f"`{param.name}` must be {en}", f"`{param.name}` 应为{zh}"))
