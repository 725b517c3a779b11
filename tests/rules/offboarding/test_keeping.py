"""What a leaver is still named for, who keeps the period after that, and what comes in it, in words."""

from dataclasses import replace

import pytest

from rules.offboarding import cooling_off, duties
from rules.offboarding.keeping import kept, nothing_kept
from rules.offboarding.machine import DepartureRefusedError
from rules.offboarding.measure import Keeper, MeasureEnd, MeasureKind
from rules.offboarding.next_steps import next_steps
from rules.offboarding.vocabulary import CaseEvent
from tests.rules.offboarding.cases import DAY, NOW, approved, settled
from tests.sentences import en, zh


def test_whoever_is_named_for_nothing_keeps_nothing() -> None:
    assert kept((), (), ()) == ()
    nothing_kept(())


def test_everything_kept_is_named_and_the_hint_is_about_the_first() -> None:
    still = kept(["plans"], ["security"], ["E2's\x1b[31m"])
    with pytest.raises(DepartureRefusedError) as refused:
        nothing_kept(still)
    assert [en(one.what) for one in still] == [
        "custodian of `plans`",
        "the only account in the role `security`",
        "approver with the pinned key `E2's\\x1b[31m`",
    ]
    assert en(refused.value.text) == "not yet handed over: " + "; ".join(en(one.what) for one in still)
    assert zh(refused.value.text) == "尚未移交：" + "；".join(zh(one.what) for one in still)
    assert refused.value.hint == still[0].remedy


def test_a_measure_cannot_have_ended_on_a_day_to_come() -> None:
    case = settled(approved("state"))
    measure = next(one for one in case.measures if one.kind is MeasureKind.PASSPORT)
    over = NOW + 200 * DAY  # the period has ended
    end = MeasureEnd("E8", over, over.date() + DAY, "8")
    with pytest.raises(DepartureRefusedError, match=r"departure.date-in-future"):
        cooling_off.end(case, measure.name, "passport", end, over.date())


def test_a_visit_of_the_period_stands_before_the_end_of_the_case() -> None:
    case = duties.release_papers(settled(approved("state")), "E8", NOW)
    case = duties.decide_period(case, NOW + 700 * DAY, "E8", NOW)
    visit, close = next_steps(case, NOW)
    assert (visit.event, visit.name, close.event) == (CaseEvent.MEASURE, "visit", CaseEvent.CLOSE)
    assert str(cooling_off.visit_due(case)) in en(visit.what)
    without = replace(case, measures=tuple(one for one in case.measures if one.kind is not MeasureKind.VISIT))
    assert [one.event for one in next_steps(without, NOW)] == [CaseEvent.CLOSE]


def test_who_keeps_the_period_has_words() -> None:
    assert [en(keeper.text) for keeper in Keeper] == ["this unit", "the receiving unit", "the local secrecy authority"]
