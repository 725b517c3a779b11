"""Cooling-off measures 脱密期管理 as frozen data, with their names.

Rules of this file: what a pack requires is a :class:`Measure`; what was done is a :class:`MeasureTaken` with its paper
and its day. A day is one of the site's calendar; ``at`` is when it was recorded. Nothing recorded is ever removed: a
passport that is returned and a filing that is withdrawn have an end as well.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from rules.text import Message, Sentence, Text


class MeasureKind(StrEnum):
    """The kinds of measures. A value stands in packs and in the registry and never changes its meaning."""

    ENTRUST = "entrust"  # another party keeps the period from now on
    VISIT = "visit"  # a return visit 回访; recurs
    PASSPORT = "passport"  # a passport or permit is held, until it is returned
    BORDER = "border"  # filed with border control 出入境备案, until it is withdrawn

    @property
    def text(self) -> Sentence:
        """The sentence of this kind."""
        return _MEASURES[self]

    @property
    def ends(self) -> bool:
        """Whether it has to be undone after the period, before the case is closed."""
        return self in (MeasureKind.PASSPORT, MeasureKind.BORDER)


class Keeper(StrEnum):
    """The keepers of a cooling-off period."""

    UNIT = "unit"
    RECEIVING = "receiving"
    AUTHORITY = "authority"

    @property
    def text(self) -> Sentence:
        """The sentence of this keeper."""
        return _KEEPERS[self]


@dataclass(frozen=True, slots=True)
class Measure:
    """A required measure of a case: once, or a visit every ``every_days`` (0: no interval is required)."""

    name: str
    kind: MeasureKind
    title: Text
    every_days: int = 0


@dataclass(frozen=True, slots=True)
class MeasureEnd:
    """The return of a passport or the withdrawal of a filing, on ``day`` by a paper."""

    by: str
    at: datetime
    day: date
    paper: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureTaken:
    """A measure as taken.

    ``party``: the other party. ``item``: the passport held; empty, with a ``note``, if there is none to hold.
    ``keeper``: the new keeper of the period.
    """

    measure: str
    by: str
    at: datetime
    day: date
    paper: str = ""
    party: str = ""
    item: str = ""
    note: str = ""
    keeper: Keeper | None = None
    ended: MeasureEnd | None = None


_MEASURES = {
    MeasureKind.ENTRUST: Message("departure.measure-entrust"),
    MeasureKind.VISIT: Message("departure.measure-visit"),
    MeasureKind.PASSPORT: Message("departure.measure-passport"),
    MeasureKind.BORDER: Message("departure.measure-border"),
}
_KEEPERS = {
    Keeper.UNIT: Message("departure.keeper-unit"),
    Keeper.RECEIVING: Message("departure.keeper-receiving"),
    Keeper.AUTHORITY: Message("departure.keeper-authority"),
}
