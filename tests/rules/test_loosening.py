"""What loosens and what only takes: every field, both ways, and nothing that stays as it was (contract C12)."""

from dataclasses import replace

import pytest

from rules.loosening import person_loosened, place_loosened, settings_loosened
from rules.model import Clearance, Employment, Level, Passback, Person, Resource, RoomRules, RoomSettings, Scope

STATE = Clearance("state", Level.SECRET, "重要", "boss")
PERSON = Person("E1", clearances=(STATE,), employment=Employment.TEMPORARY)
RULES = RoomRules(
    two_person=True, needs_purpose=True, needs_declaration=True, needs_pin=True, first_in=True,
    anti_passback=Passback.SOFT, occupancy_limit=3,
)  # fmt: skip
SCOPE = Scope(frozenset({"E1"}), frozenset({"rd"}), frozenset({"alpha"}))
SETTINGS = RoomSettings(together_seconds=20, accompany=False, lone_alarm=True, reset_at="04:00")
PLACE = Resource("vault", Level.SECRET, "state", SCOPE, hours="office", room=RULES)


def clearances(*those: Clearance) -> Person:
    return replace(PERSON, clearances=those)


@pytest.mark.parametrize(
    ("after", "loosened"),
    [
        (PERSON, False),
        (clearances(replace(STATE, level=Level.TOP_SECRET)), True),
        (clearances(replace(STATE, level=Level.CONFIDENTIAL)), False),
        (clearances(replace(STATE, level=Level.NONE)), False),
        (clearances(replace(STATE, label="核心")), True),
        (clearances(replace(STATE, label="")), True),  # a label may stand for less than the level
        (clearances(replace(STATE, approved_by="head")), False),
        (clearances(), False),
        (clearances(STATE, Clearance("commercial", Level.INTERNAL)), True),
        (clearances(STATE, Clearance("commercial", Level.NONE)), False),
        (clearances(Clearance("commercial", Level.INTERNAL)), True),
        (clearances(replace(STATE, level=Level.INTERNAL), Clearance("commercial", Level.INTERNAL)), True),
        (replace(PERSON, active=False), False),
        (replace(PERSON, employment=Employment.REGULAR), True),
        (replace(PERSON, employment=Employment.VISITOR), True),  # which is worse than which is for the pack to say
        (replace(PERSON, department="rd"), False),
        (None, False),
    ],
)
def test_a_person_who_has_more_than_before(after: Person | None, loosened: bool) -> None:
    assert person_loosened(PERSON, after) is loosened


def test_who_comes_back_has_more_and_who_stays_away_has_not() -> None:
    away = replace(PERSON, active=False)
    assert person_loosened(away, PERSON)
    assert not person_loosened(away, away)


def test_whoever_is_new_has_more_only_with_a_level() -> None:
    assert person_loosened(None, PERSON)
    assert not person_loosened(None, clearances())
    assert not person_loosened(None, clearances(replace(STATE, level=Level.NONE)))
    assert not person_loosened(None, None)


def rules(**changed: object) -> Resource:
    return replace(PLACE, room=replace(RULES, **changed))


@pytest.mark.parametrize(
    ("after", "loosened"),
    [
        (PLACE, False),
        (replace(PLACE, level=Level.CONFIDENTIAL), True),
        (replace(PLACE, level=Level.TOP_SECRET), False),
        (replace(PLACE, domain="commercial"), True),
        (replace(PLACE, hours=""), True),
        (replace(PLACE, hours="night"), True),
        *((replace(PLACE, scope=replace(SCOPE, **{name: frozenset()})), False) for name in ("persons", "departments")),
        (replace(PLACE, scope=replace(SCOPE, projects=frozenset())), False),
        (replace(PLACE, scope=replace(SCOPE, persons=frozenset({"E1", "E2"}))), True),
        (replace(PLACE, scope=replace(SCOPE, persons=frozenset({"E2"}))), True),
        (replace(PLACE, scope=replace(SCOPE, departments=frozenset({"hr"}))), True),
        (replace(PLACE, scope=replace(SCOPE, projects=frozenset({"alpha", "beta"}))), True),
        *((rules(**{name: False}), True) for name in ("two_person", "needs_purpose", "needs_declaration")),
        (rules(needs_pin=False), True),
        (rules(first_in=False), True),
        (rules(anti_passback=Passback.NONE), True),
        (rules(anti_passback=Passback.HARD), False),
        (rules(occupancy_limit=0), True),  # no limit
        (rules(occupancy_limit=4), True),
        (rules(occupancy_limit=2), False),
        (replace(PLACE, room=None), False),  # no room any more: what it is then is compared by who may enter
        (None, False),
    ],
)
def test_a_place_that_asks_less_than_before(after: Resource | None, loosened: bool) -> None:
    assert place_loosened(PLACE, after) is loosened


def test_what_is_asked_from_now_on_and_was_not_before_loosens_nothing() -> None:
    bare = replace(PLACE, room=RoomRules())
    assert not place_loosened(bare, PLACE)
    assert not place_loosened(bare, replace(PLACE, room=RoomRules(occupancy_limit=1)))
    assert not place_loosened(bare, bare)
    assert not place_loosened(None, PLACE)
    assert not place_loosened(None, None)
    assert not place_loosened(replace(PLACE, room=None), replace(PLACE, room=None))


@pytest.mark.parametrize("limit", [1, 3])
def test_a_limit_is_widened_by_one_or_by_being_dropped(limit: int) -> None:
    before = rules(occupancy_limit=limit)
    assert place_loosened(before, rules(occupancy_limit=limit + 1))
    assert place_loosened(before, rules(occupancy_limit=0))
    assert not place_loosened(before, rules(occupancy_limit=limit))


@pytest.mark.parametrize(
    ("changed", "loosened"),
    [
        ({}, False),
        ({"location": "floor 2"}, False),
        ({"together_seconds": 10}, False),
        ({"together_seconds": 21}, True),
        ({"together_seconds": 0}, True),  # as the pack says: it may say more
        ({"accompany": True}, True),
        ({"lone_alarm": False}, True),
        ({"held_open_seconds": 31}, True),
        ({"held_open_seconds": 29}, False),
        ({"reset_at": "03:00"}, True),
        ({"reset_at": ""}, False),  # whoever is listed inside stays so
    ],
)
def test_a_panel_that_asks_less_than_before(changed: dict[str, object], loosened: bool) -> None:
    assert settings_loosened(SETTINGS, replace(SETTINGS, **changed)) is loosened  # type: ignore[arg-type]


def test_a_panel_that_asked_nothing_of_its_own_loosens_by_any_span_of_its_own() -> None:
    plain = RoomSettings()
    assert not settings_loosened(plain, plain)
    assert settings_loosened(plain, replace(plain, together_seconds=5))
    assert settings_loosened(plain, replace(plain, reset_at="04:00"))
    assert not settings_loosened(plain, replace(plain, lone_alarm=True))
    assert not settings_loosened(SETTINGS, SETTINGS)
