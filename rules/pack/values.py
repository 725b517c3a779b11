"""How each kind of value in a pack is read.

Rules of this file: a reader takes whatever TOML gave and returns the value the core works with, or raises
:class:`WrongValueError` with what is wrong and what to write instead. Nothing is guessed, converted or forgiven. Only
strings are ever quoted back: any other foreign value may be too large to print.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, TypeVar, cast

from rules.model import Employment, Level, Passback
from rules.offboarding.measure import MeasureKind
from rules.offboarding.vocabulary import CaseKind
from rules.pack.model import WEEKDAYS
from rules.pack.problem import WrongValueError
from rules.text import Text
from rules.tiers import MINIMA, MinimumTier
from rules.visible import visible

T = TypeVar("T")
MAX_DAYS = 36_500  # a hundred years: more is a slip of the finger, and would overflow a date
_LEVELS = tuple(level.word for level in Level)
_CLAUSE = re.compile(r"D\d{2}-[A-Za-z0-9.]+")
_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})")
_WINDOW = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})")
_DAY = timedelta(days=1)


def quoted(value: object) -> str:
    """Return *value* for a message: a string in backticks, anything else by its TOML name."""
    if isinstance(value, str):
        return f"`{visible(value[:60])}`"
    kinds = {bool: "a boolean", int: "an integer", float: "a float", list: "an array", dict: "a table"}
    return kinds.get(type(value), "a date or time")


def nearest(word: str, known: Collection[str]) -> Text:
    """Return a hint: the known word nearest to *word*, or what is known."""
    ordered = sorted(known)
    if close := get_close_matches(word[:60], ordered, n=1):
        near = visible(close[0])
        return Text(f"did you mean `{near}`?", f"是否应为 `{near}`？")
    if not ordered or len(ordered) > 25:
        return Text("no known name is near it", "没有相近的名称")
    listed = ", ".join(f"`{visible(name)}`" for name in ordered)
    return Text(f"known here: {listed}", f"此处可用：{listed}")


def flag(value: object) -> bool:
    """``true`` or ``false``."""
    if isinstance(value, bool):
        return value
    raise _expected("true or false", "true 或 false", value)


def days(value: object) -> int:
    """Read a whole number of days, 0 to 36,500."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_DAYS:
        return value
    raise _expected(f"a whole number of days from 0 to {MAX_DAYS}", f"0 至 {MAX_DAYS} 的整数天数", value)


def duties(value: object) -> tuple[int, ...]:
    """Numbers of ``duties.csv``, 1 to 25."""
    numbers = _array(value)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 25:
            raise _expected("duty numbers from 1 to 25", "1 至 25 的职责编号", number)
    return tuple(numbers)


def word(value: object) -> str:
    """Read a string that is not blank and has nothing in it that cannot be seen (contract C9)."""
    if isinstance(value, str) and value.strip() and visible(value) == value:
        return value
    raise _expected("a string of visible characters", "由可见字符组成的字符串", value)


def words(value: object) -> tuple[str, ...]:
    """Read an array of strings, none blank, none twice."""
    found = tuple(word(item) for item in _array(value))
    for item in found:
        if found.count(item) > 1:
            raise WrongValueError(Text(f"{quoted(item)} stands here twice", f"{quoted(item)} 重复"), _ONCE)
    return found


def text(value: object) -> Text:
    """``{ en = "…", zh = "…" }``: contract C10 asks for both."""
    if isinstance(value, dict) and value.keys() == {"en", "zh"}:
        return Text(word(value["en"]), word(value["zh"]))
    raise _expected('{ en = "…", zh = "…" }', '{ en = "…", zh = "…" }', value)


def texts(value: object) -> Mapping[str, Text]:
    """Read a table of names, each with its text in both languages."""
    return {name: _below(text, item, name) for name, item in _table(value).items()}


def one_of(known: Collection[str]) -> Callable[[object], str]:
    """Return a reader that takes one of the *known* words."""

    def read(value: object) -> str:
        if isinstance(value, str) and value in known:
            return value
        said = quoted(value)
        raise WrongValueError(Text(f"{said} is not known here", f"此处不认识 {said}"), nearest(_word_in(value), known))

    return read


def some_of(known: Collection[str]) -> Callable[[object], tuple[str, ...]]:
    """Return a reader that takes an array of *known* words."""
    one = one_of(known)
    return lambda value: tuple(one(item) for item in words(value))


def level(value: object) -> Level:
    """``internal`` or ``内部``, and so on."""
    try:
        return Level.parse(value)  # type: ignore[arg-type]  # any value that is no level word is refused below
    except ValueError:
        said = quoted(value)
        raise WrongValueError(
            Text(f"{said} is not a level", f"{said} 不是密级"), nearest(_word_in(value), _LEVELS)
        ) from None


def labels(value: object) -> Mapping[str, Mapping[str, Level]]:
    """``[level.map.DOMAIN]``: the highest level each printed label stands for."""
    return {
        domain: {label: _below(level, item, domain, label) for label, item in _below(_table, table, domain).items()}
        for domain, table in _table(value).items()
    }


def barred(value: object) -> Mapping[str, tuple[str, ...]]:
    """``[level.barred]``: per domain, the labels that never open anything."""
    return {domain: _below(words, item, domain) for domain, item in _table(value).items()}


def clauses(value: object) -> tuple[str, ...]:
    """Clause ids as in ``clauses.csv``."""
    found = words(value)
    for item in found:
        if not _CLAUSE.fullmatch(item):
            hint = Text("an id looks like `D01-2.2`; see clauses.csv", "编号形如 `D01-2.2`；见 clauses.csv")
            raise WrongValueError(Text(f"{quoted(item)} is not a clause id", f"{quoted(item)} 不是条款编号"), hint)
    return found


def employments(value: object) -> frozenset[Employment]:
    """Read ways of being employed."""
    return frozenset(Employment(name) for name in some_of(tuple(Employment))(value))


def kinds(value: object) -> frozenset[CaseKind]:
    """Read kinds of departure."""
    return frozenset(CaseKind(name) for name in some_of(tuple(CaseKind))(value))


def measure(value: object) -> MeasureKind:
    """Read a kind of measure of a cooling-off period."""
    return MeasureKind(one_of(tuple(MeasureKind))(value))


def seconds(value: object) -> int:
    """Read a number of seconds, 1 to 600: what people at a door can be asked to wait."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 600:
        return value
    raise _expected("a whole number of seconds from 1 to 600", "1 至 600 的整数秒数", value)


def passback(value: object) -> Passback:
    """``soft`` or ``hard``: a table that asks for nothing would say less than it seems."""
    return Passback(one_of((Passback.SOFT, Passback.HARD))(value))


def minimum_tier(value: object) -> MinimumTier:
    """``A``, ``B``, ``A-read``, ``B-read`` or ``C``."""
    return cast("MinimumTier", one_of(MINIMA)(value))


def people(value: object) -> int:
    """Read how many people, 1 to 9."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 9:
        return value
    raise _expected("a number of people from 1 to 9", "1 至 9 的人数", value)


def weekdays(value: object) -> frozenset[int]:
    """``["mon", …]`` as ``date.weekday()`` counts, 0 to 6."""
    return frozenset(WEEKDAYS.index(name) for name in some_of(WEEKDAYS)(value))


def offset(value: object) -> timedelta:
    """``"+08:00"``: the site's clock minus UTC, at most 14 hours either way."""
    if isinstance(value, str) and (match := _OFFSET.fullmatch(value)):
        size = timedelta(hours=int(match[2]), minutes=int(match[3]))
        if size <= timedelta(hours=14) and int(match[3]) < 60:
            return size if match[1] == "+" else -size
    raise _expected('an offset from UTC such as "+08:00"', '相对 UTC 的时差，例如 "+08:00"', value)


def windows(value: object) -> tuple[tuple[timedelta, timedelta], ...]:
    """``["08:30-12:00", …]`` as times since the site's midnight, half open; ``24:00`` is the end of the day."""
    return tuple(_window(item) for item in words(value))


def _window(value: str) -> tuple[timedelta, timedelta]:
    if not (match := _WINDOW.fullmatch(value)):
        raise _expected('a window such as "08:30-17:30"', '时段，例如 "08:30-17:30"', value)
    hours = [timedelta(hours=int(match[i]), minutes=int(match[i + 1])) for i in (1, 3)]
    if any(int(match[i]) > 59 for i in (2, 4)) or max(hours) > _DAY:
        raise _expected("times from 00:00 to 24:00", "00:00 至 24:00 之间的时刻", value)
    if hours[0] >= hours[1]:
        raise WrongValueError(
            Text(
                f"window {quoted(value)} ends before it starts: it is never open",
                f"时段 {quoted(value)} 先终后始，永不开放",
            ),
            Text(
                "write a night as two windows: `22:00-24:00`, `00:00-06:00`",
                "跨夜请写成两段：`22:00-24:00`、`00:00-06:00`",
            ),
        )
    return hours[0], hours[1]


_ONCE = Text("write it once", "只写一次")


def _expected(en: str, zh: str, value: object) -> WrongValueError:
    said = quoted(value)
    return WrongValueError(
        Text(f"expected {en}, found {said}", f"应为 {zh}，实为 {said}"), Text(f"write {en}", f"请写 {zh}")
    )


def _array(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    raise _expected("an array", "数组", value)


def _table(value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise _expected("a table", "表", value)


def _below(read: Callable[[object], T], value: object, *at: str) -> T:
    try:
        return read(value)
    except WrongValueError as wrong:
        raise WrongValueError(wrong.text, wrong.hint, (*at, *wrong.at)) from None


def _word_in(value: object) -> str:
    return value if isinstance(value, str) else ""
