"""Laws of failure: nothing raises, and an error in a rule is a denial that names the rule (contract C1)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.decide import decide
from rules.model import (
    Action,
    Clearance,
    Departure,
    DepartureStage,
    Facts,
    Grant,
    Hold,
    Level,
    Lockdown,
    Record,
    Request,
    Resource,
    RoomRules,
    Scope,
    Verdict,
)
from tests.rules.strategies import ALL_PACKS, LAW, NOW, PLACE, World, good_person, worlds
from tests.sentences import en

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=3) | st.floats(),
    lambda inner: st.lists(inner, max_size=2).map(tuple) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
NAIVE = NOW.replace(tzinfo=None)


@LAW
@given(worlds(), st.sampled_from(["clearances", "grants", "records", "holds", "departures", "post_changed_at",
                                  "employment", "projects", "badges", "visits", "inside"]), junk)  # fmt: skip
def test_a_person_of_the_wrong_shape_raises_nothing(world: World, name: str, value: object) -> None:
    verdict = world.having(replace(world.person(), **{name: value})).decide()
    assert isinstance(verdict, Verdict)


@LAW
@given(junk, junk, junk, junk)
def test_arguments_of_the_wrong_shape_are_denied(request: object, facts: object, pack: object, now: object) -> None:
    verdict = decide(request, facts, pack, now)  # type: ignore[arg-type]
    assert (verdict.allow, verdict.rule, verdict.until) == (False, "error", now)


@LAW
@given(worlds(), st.sampled_from(["resources", "persons", "services", "holidays", "lockdowns", "here"]), junk)
def test_facts_of_the_wrong_shape_never_open_more(world: World, name: str, value: object) -> None:
    verdict = replace(world, facts=replace(world.facts, **{name: value})).decide()
    assert world.decide().allow or not verdict.allow or name in ("services", "holidays")


@pytest.mark.parametrize("now", [NAIVE, NAIVE.replace(year=1), NAIVE.replace(year=9999)])
def test_a_time_without_a_zone_is_denied(now: datetime) -> None:
    world = in_order()
    assert world.decide().allow
    assert (world.decide(now).allow, world.decide(now).rule) == (False, "error")


@pytest.mark.parametrize("now", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_first_and_the_last_instant_there_are_raise_nothing(now: datetime) -> None:
    place = replace(in_order().place(), hours="office")
    assert not in_order().at(place).decide(now).allow


BROKEN: dict[str, Callable[[World], World]] = {
    "hold": lambda w: w.having(replace(w.person(), holds=(Hold(NAIVE),))),
    "departure": lambda w: w.having(replace(w.person(), departures=(Departure(DepartureStage.NOTICE, NAIVE),))),
    "employment": lambda w: w.having(replace(w.person(), employment="borrowed")),
    "barred": lambda w: w.having(replace(w.person(), clearances=(None, *w.person().clearances))),
    "domain": lambda w: w.having(replace(w.person(), clearances=(Clearance("state", "high", "", "boss"),))),
    "level": lambda w: w.at(replace(w.place(), level="high")),
    "scope": lambda w: w.at(replace(w.place(), scope=Scope(projects=None, persons=frozenset({"x"})))),
    "grant": lambda w: w.having(replace(w.person(), grants=(Grant("g", "E1", PLACE, "why", "boss", NAIVE),))),
    "training": lambda w: w.having(replace(w.person(), records=(Record("training", NAIVE),))),
    "hours": lambda w: replace(w, facts=replace(w.facts, holidays=None)).at(replace(w.place(), hours="office")),
    "badge": lambda w: entering(w.having(replace(w.person(), badges=None))),
    "purpose": lambda w: entering(w).asking(replace(entering(w).request, purpose=None)),
    "marking": lambda w: w.at(replace(w.place(), scope=None)),
    "service": lambda w: replace(
        w.asking(replace(w.request, service="x")),
        facts=replace(w.facts, services={"x": SimpleNamespace(active=True, areas=None)}),
    ),
    "lockdown": lambda w: replace(entering(w), facts=replace(w.facts, lockdowns=(Lockdown(NAIVE),))).at(a_room(w)),
    "visit": lambda w: entering(w.having(replace(w.person(), visits=(None,)))),
    "escort": lambda w: entering(w.having(replace(w.person(), visits=(None,)))),
    "in-room": lambda w: replace(
        w.having(replace(w.person(), inside=None)),
        pack=ALL_PACKS["everything"],
        facts=replace(w.facts, here="office", persons={"E1": replace(w.person(), inside=None)}),
    ),
    "one-place": lambda w: entering(w.having(replace(w.person(), inside=None))),
    "limit": lambda w: asking(w, inside=None),
    "first-in": lambda w: asking(w, companions=None),
    "two-person": lambda w: entering(w).asking(replace(entering(w).request, companions=None)),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_an_error_in_a_rule_is_a_denial_that_names_the_rule(rule: str) -> None:
    """Whatever denies first is broken data that only this rule stumbles over, or stumbles over first."""
    verdict = BROKEN[rule](in_order()).decide()
    named = [en(finding.because) for finding in verdict.findings if finding.rule == "error"]
    assert not verdict.allow
    assert any(text.startswith(f"rule `{rule}` failed with `") for text in named), named


def test_an_error_is_never_kept() -> None:
    verdict = BROKEN["hold"](in_order()).decide()
    assert (verdict.rule, verdict.until) == ("error", NOW)
    assert en(verdict.because) == "rule `hold` failed with `TypeError`"


def test_an_error_behind_an_earlier_denial_does_not_change_it() -> None:
    stopped = in_order().having(replace(in_order().person(), holds=(Hold(NOW - timedelta(days=1)),)))
    broken = stopped.having(replace(stopped.person(), grants=(Grant("g", "E1", PLACE, "why", "boss", NAIVE),)))
    assert (broken.decide().rule, broken.decide().until) == ("hold", None)


def test_somebody_else_under_a_persons_name_is_unknown() -> None:
    world = in_order()
    mixed = replace(world.facts, persons={"E1": world.person("E2")})
    assert replace(world, facts=mixed).decide().rule == "unknown-person"


def test_another_place_under_the_name_asked_for_is_unknown() -> None:
    world = in_order()
    mixed = replace(world.facts, resources={PLACE: replace(world.place(), id="other")})
    assert replace(world, facts=mixed).decide().rule == "unknown-resource"


def in_order() -> World:
    """Return a world that allows, under the state pack."""
    pack = ALL_PACKS["state"]
    place = Resource(PLACE, Level.SECRET, "state", Scope(departments=frozenset({"rd"})), secret_until=NOW)
    persons = {name: good_person(name, place, pack) for name in ("E1", "E2")}
    return World(Request(("E1",), PLACE), Facts(persons, {PLACE: place}), pack)


def entering(world: World) -> World:
    """Return *world* with its place made a room for two, and the request an entry."""
    request = Request(("E1",), PLACE, Action.ENTER, companions=("E2",), purpose="inventory", declared=True)
    return world.at(replace(world.place(), room=RoomRules(two_person=True))).asking(request)


def a_room(world: World) -> Resource:
    return replace(world.place(), room=RoomRules(two_person=True, occupancy_limit=2, first_in=True))


def asking(world: World, **changes: object) -> World:
    """Return an entry to a room that counts people and asks for its custodian, with something wrong in the request."""
    inside = entering(world).at(a_room(world))
    return inside.asking(replace(inside.request, **changes))
