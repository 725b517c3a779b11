"""Laws of stopping: a hold, a departure, an inactive person only ever take away (contract C1)."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.model import Departure, DepartureStage, Hold
from tests.rules.strategies import LAW, NOW, World, departures, holds, instants, worlds

YEAR = timedelta(days=366)


@LAW
@given(worlds(), holds)
def test_adding_a_hold_never_turns_a_deny_into_an_allow(world: World, hold: Hold) -> None:
    person = world.person()
    after = world.having(replace(person, holds=(*person.holds, hold))).decide()
    assert world.decide().allow or not after.allow


@LAW
@given(worlds())
def test_a_hold_that_has_begun_denies_whatever_else_is_true(world: World) -> None:
    verdict = world.having(replace(world.person(), holds=(Hold(NOW),))).decide()
    assert not verdict.allow or verdict.rule == "exit" or "E1" not in world.request.persons


@LAW
@given(worlds(), departures)
def test_adding_a_departure_never_turns_a_deny_into_an_allow(world: World, departure: Departure) -> None:
    person = world.person()
    after = world.having(replace(person, departures=(*person.departures, departure))).decide()
    assert world.decide().allow or not after.allow


@LAW
@given(
    worlds(), departures, st.sampled_from([DepartureStage.APPROVED, DepartureStage.COOLING_OFF, DepartureStage.CLOSED])
)
def test_an_approved_departure_denies_now_and_for_good(
    world: World, departure: Departure, stage: DepartureStage
) -> None:
    approved = replace(departure, stage=stage, approved_at=NOW, approver="boss", effective_at=None)
    leaving = world.having(replace(world.person(), departures=(approved,)))
    for now in (NOW, NOW.replace(year=NOW.year + 1), NOW.replace(year=NOW.year + 50)):
        verdict = leaving.decide(now)
        assert not verdict.allow or verdict.rule == "exit" or "E1" not in world.request.persons


@LAW
@given(worlds(), departures, instants, instants)
def test_an_approved_departure_denies_from_its_leave_date_on(
    world: World, departure: Departure, leave: datetime, now: datetime
) -> None:
    approved = replace(
        departure, stage=DepartureStage.APPROVED, approved_at=NOW - YEAR, approver="boss", effective_at=leave
    )
    person = world.person()
    verdict = world.having(replace(person, departures=(approved,))).decide(now)
    if now >= leave:
        assert not verdict.allow or verdict.rule == "exit" or "E1" not in world.request.persons
    else:
        without = world.having(replace(person, departures=())).decide(now)
        assert verdict.allow == without.allow
        assert (
            not verdict.allow or verdict.rule == "exit" or "E1" not in world.request.persons or verdict.until <= leave
        )


@LAW
@given(worlds())
def test_deactivating_a_person_never_turns_a_deny_into_an_allow(world: World) -> None:
    after = world.having(replace(world.person(), active=False)).decide()
    assert world.decide().allow or not after.allow
