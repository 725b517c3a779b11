"""Schema of operations: parameters, roles and the strict reading of arguments.

Rules of this file: pure. An operation accepts only the parameters it declares; each arrives at the handler in
one type. Identifiers stay the site's own strings; only what SQLite and UTF-8 cannot hold is refused here.
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
from rules.text import Message, Sentence

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

    ``target`` is an absolute path or the name of an area; ``hour`` a time of day, ``""`` for ``never``. ``levels`` is a
    list of ``LEVEL`` or ``DOMAIN=LEVEL``; ``file`` the text of a file. ``roles`` narrows the operation's: an account
    given with a new person needs the system administrator, a level the security officer. A ``secret`` is in no log
    entry, not even in that of a refusal. ``bare`` is what the option means without a value. With ``gives`` it may give
    access, whatever its value: the act needs two officers.
    """

    name: str
    kind: Kind
    help: Sentence
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
    """One operation of the agent.

    ``act``: it changes something, is one registry transaction, and is an entry before it takes effect.
    ``read_entry``: it shows the log, which is itself recorded. ``stream``: it answers with any number of rows.
    ``gives``: it gives access by its nature, and needs two officers; for other acts the rights before and after decide.
    ``rehearses``: a query that tries an act on a copy of the registry; such queries run one at a time.
    """

    name: str
    help: Sentence
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
        return {name: "…" if name in secrets else argument for name, argument in args.items()}

    def read(self, args: Mapping[str, object], zone: Zone) -> "Arguments":
        """Return *args* in their types; raise :class:`UsageError` for one that is missing, unknown or not understood.

        ``zone`` is where a date without a time or a time without an offset is read.
        """
        declared = {p.name: p for p in self.params}
        for name in args:
            if name not in declared:
                raise UsageError(Message("operations.parameter-unknown", name=self.name, param=name))
        values: dict[str, object] = {}
        for param in self.params:
            argument = args.get(param.name)
            if argument is None or argument == []:
                if param.required:
                    raise UsageError(Message("operations.parameter-missing", name=self.name, param=param.name))
            else:
                values[param.name] = _read(param, argument, zone)
        return Arguments(values)


@dataclass(frozen=True, slots=True)
class Arguments:
    """Arguments of one call, read. The getters state the type; absent is ``""``, ``None``, ``False`` or ``()``."""

    values: Mapping[str, object] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str) -> str:
        """Return a ``text``, ``path``, ``target`` or ``hour``."""
        argument = self.values.get(name, "")
        assert isinstance(argument, str)
        return argument

    def maybe(self, name: str) -> str | None:
        """Return a ``text``, ``path`` or ``target``, ``None`` when it was not given."""
        return self.text(name) if name in self.values else None

    def number(self, name: str, default: int | None = None) -> int | None:
        """Return a ``number``."""
        argument = self.values.get(name, default)
        assert argument is None or isinstance(argument, int)
        return argument

    def flag(self, name: str) -> bool:
        """Return a ``flag``."""
        return bool(self.values.get(name))

    def level(self, name: str) -> Level | None:
        """Return a ``level``."""
        argument = self.values.get(name)
        assert argument is None or isinstance(argument, Level)
        return argument

    def instant(self, name: str) -> datetime | None:
        """Return a ``since`` or ``until``, in UTC."""
        argument = self.values.get(name)
        assert argument is None or isinstance(argument, datetime)
        return argument

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a ``texts``."""
        argument = self.values.get(name, ())
        assert isinstance(argument, tuple)
        return argument

    def levels(self, name: str) -> tuple[tuple[str, Level], ...]:
        """Return a ``levels``: pairs of domain and level; the domain is ``""`` where none was written."""
        argument = self.values.get(name, ())
        assert isinstance(argument, tuple)
        return argument

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return a ``numbers``."""
        argument = self.values.get(name, ())
        assert isinstance(argument, tuple)
        return argument


class _Reading(NamedTuple):
    """How a kind is read: strictly as ``type``, then by ``then``; ``expected`` is what an error names."""

    type: Any
    expected: Sentence
    then: Callable[[Any, Zone], object] = lambda parsed, _zone: parsed


def _domain_and_level(text: str) -> tuple[str, Level]:
    domain, equals, level = text.rpartition("=")
    if equals and not domain:
        raise ValueError(text)
    return domain, Level.parse(level)


_Utf8 = Annotated[str, Meta(pattern=r"\A[^\0\ud800-\udfff]*\Z")]
_Path = Annotated[str, Meta(pattern=r"\A/[^\0]*\Z")]  # lone surrogates are how Python carries what is not UTF-8
_Hour = Annotated[str, Meta(pattern=r"\A(([01][0-9]|2[0-3]):[0-5][0-9]|never)\Z")]
_Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_LEVELS = [level.text for level in Level]
_MOMENTS = "2026-12-31, 2026-12-31T17:00, 2026-12-31T09:00:00Z"

_TEXT = _Reading(_Utf8, Message("operations.utf-8-text"))
_MOMENT = _Reading(str, Message("operations.date-or-time", moments=_MOMENTS), instant)
_KINDS: Mapping[Kind, _Reading] = {
    "text": _TEXT,
    "file": _TEXT,
    "path": _Reading(_Path, Message("operations.absolute-path")),
    "number": _Reading(_Number, Message("operations.whole-number")),
    "flag": _Reading(bool, Message("operations.true-false")),
    "level": _Reading(str, Message("operations.a-level", levels=_LEVELS), lambda text, _: Level.parse(text)),
    "since": _MOMENT,
    "until": _MOMENT._replace(then=partial(instant, end=True)),
    "hour": _Reading(
        _Hour,
        Message("operations.time-of-day"),
        lambda hour, _: hour.removesuffix("never"),
    ),
    "texts": _Reading(tuple[_Utf8, ...], Message("operations.list-of-texts")),
    "numbers": _Reading(tuple[_Number, ...], Message("operations.list-whole-numbers")),
    "levels": _Reading(
        tuple[_Utf8, ...],
        Message("operations.list-of-levels", levels=_LEVELS),
        lambda levels, _: tuple(map(_domain_and_level, levels)),
    ),
}


def _read(param: Param, argument: object, zone: Zone) -> object:
    kind = param.kind
    if kind == "target":
        kind = "path" if isinstance(argument, str) and argument.startswith("/") else "text"
    reading = _KINDS[kind]
    try:
        parsed = reading.then(msgspec.convert(argument, reading.type, strict=True), zone)
    except ValueError:  # msgspec's own errors are such too
        raise _not(param, reading.expected) from None
    if param.choices and parsed not in param.choices:
        raise _not(param, Message("operations.one-of", choices=param.choices))
    return parsed


def _not(param: Param, expected: Sentence) -> UsageError:
    return UsageError(Message("operations.must-be", name=param.name, expected=expected))
