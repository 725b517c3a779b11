"""JSON into frozen data and back, by the types of the fields: what does not fit exactly is an error.

Rules of this file: pure. Two processes that do not trust each other speak through it, so nothing is converted, guessed
or ignored: an unknown member, a member given twice, a missing one without a default, ``true`` for a number, a number or
a length out of its :class:`Within`, a lone surrogate, all raise :class:`InvalidMessageError`. A class is understood
once, when it is first read; a type that is not known here is a mistake of the programmer and raises ``TypeError`` then.
"""

import dataclasses
import json
import math
import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from rules.text import Text

Json = Any
_T = TypeVar("_T")
_Reader = Callable[[Json], Any]


class InvalidMessageError(ValueError):
    """A value has not the shape it must have. The message is for a log: English, and repeats nothing foreign."""


class Within(NamedTuple):
    """Bounds, both ends included: of a number itself; of the length of a text, a table or a list."""

    least: float
    most: float


def loads(data: bytes) -> dict[str, Json]:
    """Return the JSON object that *data* is. Raises :class:`InvalidMessageError`."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except InvalidMessageError:
        raise
    except (ValueError, RecursionError):
        raise InvalidMessageError("not one JSON value in UTF-8") from None
    if not isinstance(value, dict):
        raise InvalidMessageError("not a JSON object")
    return value


def read(kind: type[_T], value: Json) -> _T:
    """Return *value* as a *kind*, which is a frozen dataclass. Raises :class:`InvalidMessageError`."""
    found: _T = _object_of(kind)(value)  # type: ignore[arg-type] # a class is hashable
    return found


def dumps(value: Any, **before: Json) -> bytes:
    """Return a frozen dataclass as a JSON object that begins with the members *before*; defaults are left out."""
    return line({**before, **_plain(value)})[:-1]


def line(value: Mapping[str, Json]) -> bytes:
    """Return *value* as one line of JSON."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def _plain(value: Any) -> Json:
    if isinstance(value, Text):
        return value._asdict()
    if dataclasses.is_dataclass(value):
        fields = {field: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {field.name: _plain(given) for field, given in fields.items() if given != _default(field)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else value


def _reader(kind: Any, where: str) -> _Reader:
    args = get_args(kind)
    if get_origin(kind) is Annotated:
        return _bounded(_reader(args[0], where), args[1], where)
    if get_origin(kind) is Literal:
        return _one_of(args, where)
    if get_origin(kind) in (Union, types.UnionType) and len(args) == 2 and args[1] is types.NoneType:
        return _optional(_reader(args[0], where))
    if get_origin(kind) is tuple and args[1:] == (...,):
        return _list_of(_reader(args[0], where), where)
    if get_origin(kind) is Mapping:
        return _table_of(_reader(args[0], where), _reader(args[1], where), where)
    if kind is Text:
        return _text(where)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _object_of(kind)
    if kind in (str, int, bool, float):
        return _simple(kind, where)
    raise TypeError(f"{where}: no way to read a {kind}")


def _simple(kind: type, where: str) -> _Reader:
    allowed = (int, float) if kind is float else (kind,)

    def reader(value: Json) -> Any:
        if type(value) not in allowed:
            raise InvalidMessageError(f"{where}: not a {kind.__name__}")
        if kind is float:
            value = float(value) if abs(value) < 2**53 else math.inf
            if not math.isfinite(value):
                raise InvalidMessageError(f"{where}: too large")
        if kind is str and not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise InvalidMessageError(f"{where}: not text")
        return value

    return reader


def _bounded(inner: _Reader, bounds: Within, where: str) -> _Reader:
    def reader(value: Json) -> Any:
        # A length is looked at before what is inside, so that a long list costs nothing.
        sized = isinstance(value, (str, list, dict))
        found = value if sized else inner(value)
        if not bounds.least <= (len(found) if sized else found) <= bounds.most:
            raise InvalidMessageError(f"{where}: not within {bounds.least} and {bounds.most}")
        return inner(value) if sized else found

    return reader


def _one_of(words: tuple[Any, ...], where: str) -> _Reader:
    def reader(value: Json) -> Any:
        if not isinstance(value, str) or value not in words:
            raise InvalidMessageError(f"{where}: none of {', '.join(words)}")
        return value

    return reader


def _optional(inner: _Reader) -> _Reader:
    return lambda value: None if value is None else inner(value)


def _list_of(inner: _Reader, where: str) -> _Reader:
    def reader(value: Json) -> Any:
        if not isinstance(value, list):
            raise InvalidMessageError(f"{where}: not a list")
        return tuple(inner(item) for item in value)

    return reader


def _table_of(key: _Reader, inner: _Reader, where: str) -> _Reader:
    def reader(value: Json) -> Any:
        if not isinstance(value, dict):
            raise InvalidMessageError(f"{where}: not an object")
        return types.MappingProxyType({key(name): inner(item) for name, item in value.items()})

    return reader


def _text(where: str) -> _Reader:
    simple = _bounded(_simple(str, where), Within(0, 1000), where)

    def reader(value: Json) -> Any:
        if not isinstance(value, dict) or value.keys() != {"en", "zh"}:
            raise InvalidMessageError(f"{where}: not a text in two languages")
        return Text(simple(value["en"]), simple(value["zh"]))

    return reader


def _default(field: dataclasses.Field[Any]) -> Any:
    made = field.default_factory
    return field.default if made is dataclasses.MISSING else made()


@cache
def _object_of(kind: Any) -> _Reader:
    hints = get_type_hints(kind, include_extras=True)
    fields = dataclasses.fields(kind)
    readers = {field.name: _reader(hints[field.name], f"{kind.__name__}.{field.name}") for field in fields}
    needed = {field.name for field in fields if _default(field) is dataclasses.MISSING}

    def reader(value: Json) -> Any:
        if not isinstance(value, dict) or not needed <= value.keys() <= readers.keys():
            raise InvalidMessageError(f"{kind.__name__}: members are missing or unknown")
        return kind(**{name: readers[name](item) for name, item in value.items()})

    return reader


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise InvalidMessageError("a member is given twice")
    return table


def _no_constant(_word: str) -> Json:
    raise InvalidMessageError("not a number JSON knows")
