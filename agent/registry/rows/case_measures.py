"""Rows of the measures taken during a cooling-off period, read and written.

Rules of this file: standard library only. Reading returns exactly what was written.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from agent.registry.columns import instant, moment
from rules.offboarding.measure import Keeper, MeasureEnd, MeasureTaken


def taken_columns(taken: MeasureTaken) -> tuple[object, ...]:
    """Return the columns of ``case_measures_taken`` after the case and the place."""
    ended = taken.ended
    undone = (ended.by, instant(ended.at), ended.day.isoformat(), ended.paper) if ended else (None, None, None, "")
    details = (taken.paper, taken.party, taken.item, taken.note, taken.keeper)
    return (taken.measure, taken.by, instant(taken.at), taken.day.isoformat(), *details, *undone)


def taken_row(values: Sequence[Any]) -> MeasureTaken:
    """Return the measure of :func:`taken_columns`. Raises ``ValueError`` or ``TypeError`` for invalid columns."""
    measure, by, at, day, paper, party, carrier, note, keeper, ended_by, ended_at, ended_day, ended_paper = values
    ended = None
    if ended_by is not None:
        ended = MeasureEnd(ended_by, moment(ended_at), date.fromisoformat(ended_day), ended_paper)
    return MeasureTaken(
        measure=measure,
        by=by,
        at=moment(at),
        day=date.fromisoformat(day),
        paper=paper,
        party=party,
        item=carrier,
        note=note,
        keeper=None if keeper is None else Keeper(keeper),
        ended=ended,
    )
