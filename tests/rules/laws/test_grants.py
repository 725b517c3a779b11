"""Laws of grants: ending one never opens, their order is nothing, and nobody approves his own (contract C1)."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.model import Person
from tests.rules.strategies import LAW, NOW, World, worlds


@LAW
@given(worlds(), st.data())
def test_ending_a_grant_never_turns_a_deny_into_an_allow(world: World, data: st.DataObject) -> None:
    """Ending is what an officer does: from now on at the latest, the grant is over."""
    person = world.person()
    ended = tuple(
        replace(given, until=min(given.until or NOW, NOW)) if data.draw(st.booleans()) else given
        for given in person.grants
    )
    after = world.having(replace(person, grants=ended)).decide()
    assert world.decide().allow or not after.allow


@LAW
@given(worlds(), st.data())
def test_the_order_of_what_is_known_about_a_person_changes_nothing(world: World, data: st.DataObject) -> None:
    person = world.person()
    shuffled = {
        name: tuple(data.draw(st.permutations(getattr(person, name))))
        for name in ("grants", "clearances", "records", "holds", "departures")
    }
    assert world.having(replace(person, **shuffled)).decide() == world.decide()


@LAW
@given(worlds(), st.integers(0, 3))
def test_saying_a_grant_twice_changes_nothing(world: World, which: int) -> None:
    person = world.person()
    twice = person.grants + person.grants[which : which + 1]
    assert world.having(replace(person, grants=twice)).decide() == world.decide()


def without_own_approvals(person: Person) -> Person:
    return replace(
        person,
        clearances=tuple(held for held in person.clearances if held.approved_by != person.id),
        grants=tuple(given for given in person.grants if given.approver != person.id),
    )


@LAW
@given(worlds(), st.data())
def test_what_a_person_approved_himself_never_opens_anything(world: World, data: st.DataObject) -> None:
    person = world.person()
    some_own = replace(
        person,
        clearances=tuple(replace(h, approved_by="E1") if data.draw(st.booleans()) else h for h in person.clearances),
        grants=tuple(replace(g, approver="E1") if data.draw(st.booleans()) else g for g in person.grants),
    )
    assert world.having(without_own_approvals(some_own)).decide().allow or not world.having(some_own).decide().allow


@LAW
@given(worlds())
def test_a_departure_approved_by_the_leaver_opens_nothing_either(world: World) -> None:
    person = world.person()
    own = replace(person, departures=tuple(replace(leaving, approver="E1") for leaving in person.departures))
    none = replace(person, departures=())
    assert world.having(none).decide().allow or not world.having(own).decide().allow


@LAW
@given(worlds(packs=("everything", "state")), st.integers(0, 400))
def test_a_temporary_grant_of_more_than_ninety_days_never_counts(world: World, extra: int) -> None:
    since = NOW - timedelta(days=1)
    too_long = tuple(
        replace(given, temporary=True, since=since, until=since + timedelta(days=90, seconds=1 + extra))
        for given in world.person().grants
    )
    with_it = world.having(replace(world.person(), grants=too_long))
    without = world.having(replace(world.person(), grants=()))
    assert with_it.decide().allow == without.decide().allow
