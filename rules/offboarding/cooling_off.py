"""Cooling-off management 脱密期管理: the keeper of a period and its measures, as moves of the state machine.

Rules of this file: the kind of the departure decides who keeps the period. If the person leaves only the post (离岗),
this unit does; if the person leaves the unit (离职), this unit does until the period is entrusted to the receiving unit
or to the local authority. A measure belongs to a period with an end, has a day and a paper, and ends only after it.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from rules.offboarding.case import OffboardingCase
from rules.offboarding.machine import DepartureRefusedError, may, not_before
from rules.offboarding.measure import Keeper, Measure, MeasureEnd, MeasureKind, MeasureTaken
from rules.offboarding.vocabulary import CaseEvent
from rules.text import Message


class PeriodKeeper(NamedTuple):
    """The keeper of the period; ``party`` is the name of another unit or authority, ``paper`` what entrusted it."""

    keeper: Keeper
    party: str = ""
    paper: str = ""


def keeper(case: OffboardingCase) -> PeriodKeeper:
    """Return the keeper of the period of *case*: the one it was entrusted to last, else this unit."""
    entrusted = [entry for entry in case.taken if entry.keeper]
    if not entrusted:
        return PeriodKeeper(Keeper.UNIT)
    last = entrusted[-1]
    assert last.keeper is not None
    return PeriodKeeper(last.keeper, last.party, last.paper)


def take(case: OffboardingCase, taken: MeasureTaken, today: date) -> OffboardingCase:
    """Record a measure as taken. *today* is the day of the site.

    Raises :class:`.DepartureRefusedError` without a period that ends, for a measure that the case does not have, a day
    in the future, and where the paper, the party or the document held is missing.
    """
    may(case, CaseEvent.MEASURE, taken.by)
    if not (case.period and case.period.until):
        raise DepartureRefusedError(
            Message("departure.no-period"),
            Message("departure.decide-period-first"),
        )
    kind = _measure_of(case, taken.measure).kind
    if taken.day > today:
        raise DepartureRefusedError(Message("departure.date-in-future"), Message("common.check-date"))
    if (taken.keeper is not None) != (kind is MeasureKind.ENTRUST) or taken.keeper is Keeper.UNIT:
        raise DepartureRefusedError(
            Message("departure.keeper-mismatch"),
            Message("departure.keeper-choices"),
        )
    if kind in (MeasureKind.ENTRUST, MeasureKind.BORDER) and not (taken.paper.strip() and taken.party.strip()):
        raise DepartureRefusedError(
            Message("departure.paper-or-party-missing", measure=kind.text),
            Message("departure.give-paper-and-party"),
        )
    if kind is MeasureKind.PASSPORT and not (taken.item.strip() or taken.note.strip()):
        raise DepartureRefusedError(
            Message("departure.document-missing"),
            Message("departure.give-document-or-note"),
        )
    if kind.ends and any((entry.measure, entry.item) == (taken.measure, taken.item) for entry in case.measures_open):
        raise DepartureRefusedError(
            Message("departure.measure-already-recorded", measure=kind.text),
            Message("departure.see-case"),
        )
    return replace(case, taken=(*case.taken, taken))


def end(case: OffboardingCase, measure: str, document: str, ended: MeasureEnd, today: date) -> OffboardingCase:
    """Record that a passport was returned or a filing withdrawn, after the period.

    *document* may be empty where only one entry of the *measure* is open. Raises :class:`.DepartureRefusedError`.
    """
    may(case, CaseEvent.END_MEASURE, ended.by)
    not_before(case, ended.at)
    if ended.day > today:
        raise DepartureRefusedError(Message("departure.date-in-future"), Message("common.check-date"))
    kind = _measure_of(case, measure).kind
    matching = [entry for entry in case.measures_open if entry.measure == measure and document in ("", entry.item)]
    if len(matching) != 1:
        named = [f"`{entry.item or entry.measure}`" for entry in case.measures_open]
        raise DepartureRefusedError(
            Message("departure.open-measure-ambiguous", measure=kind.text),
            Message("departure.open-items", names=named) if named else Message("departure.no-open-items"),
        )
    if kind is MeasureKind.BORDER and not ended.paper.strip():
        raise DepartureRefusedError(Message("departure.withdrawal-paper-missing"), Message("departure.give-paper"))
    completed = replace(matching[0], ended=ended)
    return replace(case, taken=tuple(completed if entry is matching[0] else entry for entry in case.taken))


def visit_due(case: OffboardingCase) -> date | None:
    """Return the due date of the next return visit; ``None``: none is required in the rest of the period."""
    visit = next((entry for entry in case.measures if entry.kind is MeasureKind.VISIT and entry.every_days), None)
    if visit is None or case.ended_at is None or not (case.period and case.period.until):
        return None
    last = max((entry.day for entry in case.taken if entry.measure == visit.name), default=case.ended_at.date())
    due = last + timedelta(days=visit.every_days)
    return due if due <= case.period.until.date() else None


def _measure_of(case: OffboardingCase, name: str) -> Measure:
    measure = next((candidate for candidate in case.measures if candidate.name == name), None)
    if measure is None:
        listed = [f"`{candidate.name}`" for candidate in case.measures]
        raise DepartureRefusedError(
            Message("departure.measure-not-found", name=name),
            Message("departure.measures-of-case", measures=listed) if listed else Message("departure.no-measures"),
        )
    return measure
