"""Laws of level: less level never opens more, and a level means something in its own domain only (contract C1)."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rules.model import Clearance, Level
from tests.rules.strategies import DOMAINS, LAW, World, clearances, worlds


@LAW
@given(worlds(), st.data())
def test_lowering_a_level_never_turns_a_deny_into_an_allow(world: World, data: st.DataObject) -> None:
    person = world.person()
    lowered = tuple(
        replace(held, level=data.draw(st.sampled_from([level for level in Level if level <= held.level])))
        for held in person.clearances
    )
    after = world.having(replace(person, clearances=lowered)).decide()
    assert world.decide().allow or not after.allow


@LAW
@given(worlds(), st.data())
def test_taking_a_clearance_away_never_turns_a_deny_into_an_allow_unless_it_was_barred(
    world: World, data: st.DataObject
) -> None:
    person = world.person()
    kept = tuple(held for held in person.clearances if held.label == "三级" or data.draw(st.booleans()))
    after = world.having(replace(person, clearances=kept)).decide()
    assert world.decide().allow or not after.allow


@LAW
@given(worlds())
def test_a_higher_level_opens_whatever_a_lower_one_does(world: World) -> None:
    person = world.person()
    raised = tuple(
        replace(held, level=Level.TOP_SECRET) if held.domain == world.place().domain else held
        for held in person.clearances
    )
    assert world.having(replace(person, clearances=raised)).decide().allow or not world.decide().allow


@LAW
@given(worlds(), st.lists(clearances, max_size=3))
def test_levels_in_other_domains_change_nothing(world: World, others: list[Clearance]) -> None:
    person, place = world.person(), world.place()
    foreign = tuple(replace(held, domain=f"not-{place.domain}", level=Level.TOP_SECRET) for held in others)
    assert world.having(replace(person, clearances=person.clearances + foreign)).decide() == world.decide()


@LAW
@given(worlds(), st.sampled_from(DOMAINS))
def test_a_level_in_one_domain_never_opens_another(world: World, domain: str) -> None:
    person, place = world.person(), world.place()
    only_there = replace(person, clearances=(Clearance(domain, Level.TOP_SECRET, "", "boss"),), grants=(), visits=())
    verdict = world.having(only_there).decide()
    assert place.domain == domain or not verdict.allow or verdict.rule == "exit" or "E1" not in world.request.persons


@LAW
@given(worlds(), st.sampled_from(Level))
def test_raising_the_level_of_a_place_never_turns_a_deny_into_an_allow(world: World, level: Level) -> None:
    place = world.place()
    if place.level is not Level.NONE:
        after = world.at(replace(place, level=max(level, place.level))).decide()
        assert world.decide().allow or not after.allow


@LAW
@given(worlds())
def test_level_none_opens_nothing(world: World) -> None:
    person = world.person()
    stripped = replace(person, clearances=tuple(replace(held, level=Level.NONE) for held in person.clearances))
    no_stand_in = replace(stripped, grants=tuple(replace(given, temporary=False) for given in person.grants))
    verdict = world.having(no_stand_in).decide()
    assert not verdict.allow or verdict.rule == "exit" or "E1" not in world.request.persons
