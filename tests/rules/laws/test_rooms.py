"""Laws of rooms: who goes out is never kept in, and what stops people at a door only ever takes away (contract C1)."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.decide import LEAVING, decide
from rules.model import Action, Employment, Lockdown, Passback, RoomRules, Visit
from tests.rules.strategies import LAW, NOW, PEOPLE, World, lockdowns, room_rules, visits, worlds

IN_ROOMS = ("state", "company", "everything")


def entering(world: World, rules: RoomRules | None = None) -> World:
    """Return *world* as an entry to a room."""
    place = replace(world.place(), room=rules or world.place().room or RoomRules())
    return world.at(place).asking(replace(world.request, action=Action.ENTER))


@LAW
@given(worlds(), room_rules, st.sampled_from(["", "stale", "insecure", "copied", "clock", "?"]))
def test_leaving_is_allowed_whatever_is_true(world: World, rules: RoomRules, doubt: str) -> None:
    full = entering(world, replace(rules, occupancy_limit=1, needs_pin=True, first_in=True, two_person=True))
    asked = replace(full.request, action=Action.EXIT, doubt=doubt, pin=False, inside=frozenset(PEOPLE))
    locked = replace(full.facts, lockdowns=(Lockdown(NOW - timedelta(days=1)),))
    assert decide(asked, locked, full.pack, NOW) == LEAVING


@LAW
@given(worlds(), lockdowns)
def test_adding_a_lockdown_never_turns_a_deny_into_an_allow(world: World, lockdown: Lockdown) -> None:
    for one in (world, entering(world)):
        facts = replace(one.facts, lockdowns=(*one.facts.lockdowns, lockdown))
        assert one.decide().allow or not replace(one, facts=facts).decide().allow


@LAW
@given(worlds(), st.sampled_from(["", "place"]))
def test_a_lockdown_that_has_begun_keeps_everybody_out_of_rooms_and_of_no_file(world: World, room: str) -> None:
    facts = replace(world.facts, lockdowns=(Lockdown(NOW, room),))
    verdict = replace(world, facts=facts).decide()
    if world.place().room is None:
        assert verdict.allow == replace(world, facts=replace(world.facts, lockdowns=())).decide().allow
    else:
        assert not verdict.allow or verdict.rule == "exit"


@LAW
@given(worlds(), st.sampled_from(["stale", "insecure", "copied", "clock", "anything else"]))
def test_a_read_that_cannot_be_trusted_opens_nothing(world: World, doubt: str) -> None:
    verdict = world.asking(replace(world.request, doubt=doubt)).decide()
    assert not verdict.allow or verdict.rule == "exit"


@LAW
@given(worlds(), st.data())
def test_ending_a_visit_never_turns_a_deny_into_an_allow(world: World, data: st.DataObject) -> None:
    one = entering(world)
    person = one.person()
    held = (*person.visits, data.draw(visits))
    kept = tuple(visit for visit in held if data.draw(st.booleans()))
    before, after = (one.having(replace(person, visits=some)).decide() for some in (held, kept))
    assert before.allow or not after.allow


@LAW
@given(worlds(), visits)
def test_registering_a_visit_takes_nothing_away(world: World, visit: Visit) -> None:
    one = entering(world)
    person = one.person()
    after = one.having(replace(person, visits=(*person.visits, visit))).decide()
    assert after.allow or not one.decide().allow


@LAW
@given(worlds(), st.lists(visits, max_size=2))
def test_a_visitor_never_enters_without_an_allowed_escort_beside_him(world: World, held: list[Visit]) -> None:
    one = entering(world)
    visitor = replace(one.person(), employment=Employment.VISITOR, visits=tuple(held))
    alone = one.having(visitor).asking(replace(one.request, persons=("E1",), companions=()))
    assert not alone.decide().allow
    beside = one.having(visitor).asking(replace(one.request, persons=("E1",)))
    if beside.decide().allow:
        led_by = {visit.escort for visit in held} & set(one.request.companions)
        own = [
            replace(beside.request, persons=(name,), companions=tuple(PEOPLE), inside=frozenset()) for name in led_by
        ]
        assert led_by
        # Whoever leads is allowed into a room that asks for nothing but the rules about a person.
        plain = beside.at(replace(beside.place(), room=replace(beside.place().room, occupancy_limit=0, first_in=False)))
        assert any(plain.asking(asked).decide().allow for asked in own)


@LAW
@given(worlds(), st.data())
def test_a_visitor_is_nobodys_second_person(world: World, data: st.DataObject) -> None:
    one = entering(world, RoomRules(two_person=True))
    held = tuple(data.draw(st.lists(visits, min_size=1, max_size=2)))
    led = replace(one.person("E2"), employment=Employment.VISITOR, visits=held)
    with_visitor = one.having(led).asking(replace(one.request, persons=("E3",), companions=("E2",)))
    assert not with_visitor.decide().allow


@LAW
@given(worlds(packs=IN_ROOMS), room_rules)
def test_nobody_enters_a_room_he_is_in_where_the_pack_knows_one_place(world: World, rules: RoomRules) -> None:
    one = entering(world, rules)
    inside = one.asking(replace(one.request, persons=("E1",), inside=frozenset({"E1"})))
    elsewhere = one.having(replace(one.person(), inside=frozenset({"another room"})))
    assert not inside.decide().allow
    assert not elsewhere.asking(replace(one.request, persons=("E1",))).decide().allow


@LAW
@given(worlds(packs=("minimal",)))
def test_a_stricter_room_never_turns_a_deny_into_an_allow(world: World) -> None:
    one = entering(world, RoomRules())
    asked = replace(one.request, inside=frozenset({"E1"}))
    by = [
        one.at(replace(one.place(), room=RoomRules(anti_passback=kind))).asking(asked).decide().allow
        for kind in Passback
    ]
    assert by == sorted(by, reverse=True)


@LAW
@given(worlds(packs=("everything",)), st.sampled_from(["", "another room"]))
def test_where_the_pack_asks_for_it_a_file_opens_only_where_the_person_is(world: World, here: str) -> None:
    place = replace(world.place(), room=None)
    elsewhere = replace(world.at(place), facts=replace(world.facts, resources={place.id: place}, here=here))
    asked = replace(world.request, action=Action.OPEN, service="")
    verdict = elsewhere.asking(asked).decide()
    assert not verdict.allow or place.level < elsewhere.pack.in_room.from_level


def test_the_verdict_on_the_way_out_needs_nothing_to_be_known() -> None:
    assert LEAVING.allow
    assert LEAVING.until is None
    assert LEAVING.rule == "exit"
