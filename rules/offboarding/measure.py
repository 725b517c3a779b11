"""脱密期管理: what is done during a cooling-off period, as frozen data, and the words of it.

Rules of this file: what a pack asks for is a :class:`Measure`, what was done is a :class:`MeasureTaken` with its paper
and its day. A day is one of the site's calendar; ``at`` is when it was written down. Nothing done is ever taken off: a
passport that is given back and a filing that is withdrawn have an end beside them.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from rules.text import Text


class MeasureKind(StrEnum):
    """What sort of thing is done. A word of packs and of the registry; it never changes its meaning."""

    ENTRUST = "entrust"  # somebody else keeps the period from now on
    VISIT = "visit"  # a return visit 回访; asked for again and again
    PASSPORT = "passport"  # a passport or permit is held, until it is given back
    BORDER = "border"  # filed with border control 出入境备案, until it is withdrawn

    @property
    def text(self) -> Text:
        """The words a person reads."""
        return _MEASURES[self]

    @property
    def ends(self) -> bool:
        """Whether it has to be undone after the period, before the case is closed."""
        return self in (MeasureKind.PASSPORT, MeasureKind.BORDER)


class Keeper(StrEnum):
    """Who keeps a cooling-off period."""

    UNIT = "unit"
    RECEIVING = "receiving"
    AUTHORITY = "authority"

    @property
    def text(self) -> Text:
        """The words a person reads."""
        return _KEEPERS[self]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a case was opened with: asked for once, or a visit every ``every_days`` (0: no interval is asked)."""

    name: str
    kind: MeasureKind
    title: Text
    every_days: int = 0


@dataclass(frozen=True, slots=True)
class MeasureEnd:
    """That a passport was given back, or a filing withdrawn, on ``day`` by a paper."""

    by: str
    at: datetime
    day: date
    paper: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureTaken:
    """What was done of a measure.

    ``party``: with or to whom. ``item``: the passport held; empty, with a ``note``, where there is none to hold.
    ``keeper``: whom the period was entrusted to.
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
    MeasureKind.ENTRUST: Text("entrust the period", "委托脱密期管理"),
    MeasureKind.VISIT: Text("return visit", "回访"),
    MeasureKind.PASSPORT: Text("passport held", "证照代管"),
    MeasureKind.BORDER: Text("filing with border control", "出入境备案"),
}
_KEEPERS = {
    Keeper.UNIT: Text("this unit", "本单位"),
    Keeper.RECEIVING: Text("the receiving unit", "接收单位"),
    Keeper.AUTHORITY: Text("the local secrecy authority", "地方保密行政管理部门"),
}
