"""Readers of a rule pack: one function for each kind of setting.

Rules of this file: a reader takes whatever TOML gave and returns what the core works with, or raises
:class:`WrongValueError` with what is wrong and what to write instead. Nothing is guessed, converted or forgiven. Only
strings are ever quoted back: anything else may be too large to print.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, Final, TypeVar, cast

from rules.model import Employment, Level, Passback
from rules.offboarding.measure import MeasureKind
from rules.offboarding.vocabulary import CaseKind
from rules.pack.model import WEEKDAYS
from rules.pack.problem import WrongValueError
from rules.text import Message, Sentence, Text, foreign
from rules.tiers import MINIMA, MinimumTier
from rules.visible import is_visible

T = TypeVar("T")
MAX_DAYS = 36_500  # a hundred years: more is a typing error, and would overflow a date
_LEVELS = tuple(level.word for level in Level)
_CLAUSE = re.compile(r"D\d{2}-[A-Za-z0-9.]+")
_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})")
_WINDOW = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})")
_DAY = timedelta(days=1)


_TYPES: Final = {
    bool: Message("pack.boolean"),
    int: Message("pack.integer"),
    float: Message("pack.float"),
    list: Message("pack.array"),
    dict: Message("pack.table"),
}


def quoted(raw: object) -> Sentence:
    """Return *raw* for a message: a string in backticks, anything else by its TOML type."""
    if isinstance(raw, str):
        return foreign(f"`{raw[:60]}`")
    return _TYPES.get(type(raw), Message("pack.date-or-time"))


def nearest(name: str, allowed: Collection[str]) -> Sentence:
    """Return a hint: the allowed name nearest to *name*, or the allowed names."""
    ordered = sorted(allowed)
    if close := get_close_matches(name[:60], ordered, n=1):
        return Message("pack.did-mean", name=close[0])
    if not ordered or len(ordered) > 25:
        return Message("pack.no-similar-name")
    return Message("pack.allowed-names", names=tuple(f"`{name}`" for name in ordered))


def flag(raw: object) -> bool:
    """``true`` or ``false``."""
    if isinstance(raw, bool):
        return raw
    raise _expected(Message("pack.true-or-false"), raw)


def days(raw: object) -> int:
    """Read a whole number of days, 0 to 36,500."""
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= MAX_DAYS:
        return raw
    raise _expected(Message("pack.number-of-days", max_days=MAX_DAYS), raw)


def duties(raw: object) -> tuple[int, ...]:
    """Numbers of ``duties.csv``, 1 to 25."""
    numbers = _array(raw)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 25:
            raise _expected(Message("pack.duty-numbers"), number)
    return tuple(numbers)


def plain_string(raw: object) -> str:
    """Read a string that is not blank and has only visible characters (contract C9)."""
    if isinstance(raw, str) and raw.strip() and is_visible(raw):
        return raw
    raise _expected(Message("pack.visible-string"), raw)


def plain_strings(raw: object) -> tuple[str, ...]:
    """Read an array of strings, none blank, none twice."""
    strings = tuple(plain_string(element) for element in _array(raw))
    for string in strings:
        if strings.count(string) > 1:
            raise WrongValueError(Message("pack.duplicate-entry", string=quoted(string)), _ONCE)
    return strings


def text(raw: object) -> Text:
    """``{ en = "…", zh = "…" }``: contract C10 asks for both."""
    if isinstance(raw, dict) and raw.keys() == {"en", "zh"}:
        return Text(plain_string(raw["en"]), plain_string(raw["zh"]))
    raise _expected(foreign('{ en = "…", zh = "…" }'), raw)


def texts(raw: object) -> Mapping[str, Text]:
    """Read a table of names, each with its text in both languages."""
    return {name: _below(text, entry, name) for name, entry in _table(raw).items()}


def one_of(allowed: Collection[str]) -> Callable[[object], str]:
    """Return a reader that takes one of the *allowed* strings."""

    def read(raw: object) -> str:
        if isinstance(raw, str) and raw in allowed:
            return raw
        raise WrongValueError(Message("pack.value-not-allowed", setting=quoted(raw)), nearest(_string_in(raw), allowed))

    return read


def some_of(allowed: Collection[str]) -> Callable[[object], tuple[str, ...]]:
    """Return a reader that takes an array of *allowed* strings."""
    read = one_of(allowed)
    return lambda raw: tuple(read(string) for string in plain_strings(raw))


def level(raw: object) -> Level:
    """``internal`` or ``内部``, and so on."""
    try:
        return Level.parse(raw)  # type: ignore[arg-type]  # a setting that is no level is refused below
    except ValueError:
        hint = nearest(_string_in(raw), _LEVELS)
        raise WrongValueError(Message("pack.level-invalid", level=quoted(raw)), hint) from None


def labels(raw: object) -> Mapping[str, Mapping[str, Level]]:
    """``[level.map.DOMAIN]``: the highest level each printed label stands for."""
    return {
        domain: {label: _below(level, entry, domain, label) for label, entry in _below(_table, table, domain).items()}
        for domain, table in _table(raw).items()
    }


def barred(raw: object) -> Mapping[str, tuple[str, ...]]:
    """``[level.barred]``: per domain, the labels that never open anything."""
    return {domain: _below(plain_strings, entry, domain) for domain, entry in _table(raw).items()}


def clauses(raw: object) -> tuple[str, ...]:
    """Clause ids as in ``clauses.csv``."""
    ids = plain_strings(raw)
    for clause in ids:
        if not _CLAUSE.fullmatch(clause):
            hint = Message("pack.clause-id-format")
            raise WrongValueError(Message("pack.clause-id-invalid", clause=quoted(clause)), hint)
    return ids


def employments(raw: object) -> frozenset[Employment]:
    """Read ways of being employed."""
    return frozenset(Employment(name) for name in some_of(tuple(Employment))(raw))


def kinds(raw: object) -> frozenset[CaseKind]:
    """Read kinds of departure."""
    return frozenset(CaseKind(name) for name in some_of(tuple(CaseKind))(raw))


def measure(raw: object) -> MeasureKind:
    """Read a kind of measure of a cooling-off period."""
    return MeasureKind(one_of(tuple(MeasureKind))(raw))


def seconds(raw: object) -> int:
    """Read a number of seconds, 1 to 600: what people at a door can be asked to wait."""
    if isinstance(raw, int) and not isinstance(raw, bool) and 1 <= raw <= 600:
        return raw
    raise _expected(Message("pack.number-of-seconds"), raw)


def passback(raw: object) -> Passback:
    """``soft`` or ``hard``: a table that asks for nothing would say less than it seems."""
    return Passback(one_of((Passback.SOFT, Passback.HARD))(raw))


def minimum_tier(raw: object) -> MinimumTier:
    """``A``, ``B``, ``A-read``, ``B-read`` or ``C``."""
    return cast("MinimumTier", one_of(MINIMA)(raw))


def people(raw: object) -> int:
    """Read how many people, 1 to 9."""
    if isinstance(raw, int) and not isinstance(raw, bool) and 1 <= raw <= 9:
        return raw
    raise _expected(Message("pack.number-of-people"), raw)


def weekdays(raw: object) -> frozenset[int]:
    """``["mon", …]`` as ``date.weekday()`` counts, 0 to 6."""
    return frozenset(WEEKDAYS.index(name) for name in some_of(WEEKDAYS)(raw))


def offset(raw: object) -> timedelta:
    """``"+08:00"``: the site's clock minus UTC, at most 14 hours either way."""
    if isinstance(raw, str) and (match := _OFFSET.fullmatch(raw)):
        size = timedelta(hours=int(match[2]), minutes=int(match[3]))
        if size <= timedelta(hours=14) and int(match[3]) < 60:
            return size if match[1] == "+" else -size
    raise _expected(Message("pack.utc-offset"), raw)


def windows(raw: object) -> tuple[tuple[timedelta, timedelta], ...]:
    """``["08:30-12:00", …]`` as times since the site's midnight, half open; ``24:00`` is the end of the day."""
    return tuple(_window(window) for window in plain_strings(raw))


def _window(raw: str) -> tuple[timedelta, timedelta]:
    if not (match := _WINDOW.fullmatch(raw)):
        raise _expected(Message("pack.window-format"), raw)
    hours = [timedelta(hours=int(match[i]), minutes=int(match[i + 1])) for i in (1, 3)]
    if any(int(match[i]) > 59 for i in (2, 4)) or max(hours) > _DAY:
        raise _expected(Message("pack.times-of-day"), raw)
    if hours[0] >= hours[1]:
        raise WrongValueError(
            Message("pack.window-never-open", window=quoted(raw)),
            Message("pack.write-night-as-two-windows"),
        )
    return hours[0], hours[1]


_ONCE = Message("pack.write-once")


def _expected(expected: Sentence, raw: object) -> WrongValueError:
    return WrongValueError(
        Message("pack.expected-found", expected=expected, actual=quoted(raw)),
        Message("pack.write-expected", expected=expected),
    )


def _array(raw: object) -> list[Any]:
    if isinstance(raw, list):
        return raw
    raise _expected(Message("pack.array"), raw)


def _table(raw: object) -> dict[str, Any]:
    if isinstance(raw, dict):
        return raw
    raise _expected(Message("pack.table"), raw)


def _below(read: Callable[[object], T], raw: object, *at: str) -> T:
    try:
        return read(raw)
    except WrongValueError as wrong:
        raise WrongValueError(wrong.text, wrong.hint, (*at, *wrong.at)) from None


def _string_in(raw: object) -> str:
    return raw if isinstance(raw, str) else ""
