"""Laws of who is behind a request: one more behind it never opens anything, and nobody known opens nothing (C1, C4)."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rules.model import Action, Facts
from tests.rules.strategies import LAW, PEOPLE, World, worlds


@LAW
@given(worlds(), st.sampled_from([*PEOPLE, "stranger"]), st.booleans())
def test_one_more_person_behind_never_turns_a_deny_into_an_allow(world: World, one: str, first: bool) -> None:
    asked = world.request
    if asked.persons or asked.service:  # before, it was nobody's
        persons = (one, *asked.persons) if first else (*asked.persons, one)
        after = world.asking(replace(asked, persons=persons)).decide()
        assert world.decide().allow or not after.allow


@LAW
@given(worlds(), st.sampled_from(["backup", "idle", "ghost"]))
def test_a_service_behind_persons_never_turns_a_deny_into_an_allow(world: World, service: str) -> None:
    if world.request.persons:
        after = world.asking(replace(world.request, service=service)).decide()
        without = world.asking(replace(world.request, service="")).decide()
        assert without.allow or not after.allow


@LAW
@given(worlds(), st.permutations(PEOPLE))
def test_the_order_of_the_persons_behind_does_not_matter_for_the_outcome(world: World, order: list[str]) -> None:
    one, other = (world.asking(replace(world.request, persons=tuple(who))) for who in (order[:2], order[1::-1]))
    assert one.decide().allow == other.decide().allow


@LAW
@given(worlds())
def test_two_persons_are_allowed_only_if_each_is(world: World) -> None:
    both, first, second = (
        world.asking(replace(world.request, persons=persons)).decide() for persons in (("E1", "E2"), ("E1",), ("E2",))
    )
    assert not both.allow or (first.allow and second.allow)


@LAW
@given(worlds())
def test_a_part_that_belongs_to_nobody_denies(world: World) -> None:
    verdict = world.asking(replace(world.request, nobody="uid 33")).decide()
    assert not verdict.allow or verdict.rule == "exit"


@LAW
@given(worlds())
def test_a_request_of_nobody_is_denied(world: World) -> None:
    verdict = world.asking(replace(world.request, persons=(), service="")).decide()
    assert not verdict.allow or verdict.rule == "exit"


@LAW
@given(worlds())
def test_what_is_not_in_the_facts_is_denied(world: World) -> None:
    known = world.facts
    assert not replace(world, facts=Facts()).decide().allow
    for gone in (replace(known, persons={}, services={}), replace(known, resources={})):
        verdict = replace(world, facts=gone).decide()
        assert not verdict.allow or verdict.rule == "exit"


@LAW
@given(worlds())
def test_the_way_out_of_a_room_is_open_to_everybody(world: World) -> None:
    if world.place().room is not None:
        for persons in ((), ("E1",), ("stranger",)):
            asked = replace(world.request, persons=persons, action=Action.EXIT, nobody="uid 33")
            verdict = replace(world.asking(asked), facts=replace(world.facts, persons={})).decide()
            assert (verdict.allow, verdict.rule, verdict.until) == (True, "exit", None)
