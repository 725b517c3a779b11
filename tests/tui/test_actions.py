"""One registry of actions: whole, bilingual, matched by the screens and by the agent's table."""

import re
from importlib import import_module

import pytest

from agent.api.operations import TABLE
from agent.cli.__main__ import COMMANDS
from rules.offboarding.vocabulary import CaseEvent
from tests.sentences import en, zh
from tui.actions import bindings, key_of
from tui.app import Terminal
from tui.keys import ACTIONS, PLACE_ACTIONS, PLACES, actions_at, actions_of
from tui.keys.elsewhere import ELSEWHERE
from tui.keys.shape import EVERYWHERE, KeyAction, ScreenPlace
from tui.screens.base import BaseScreen
from tui.widgets.virtual_list import VirtualList

HAN = re.compile("[\u4e00-\u9fff]")


def screen_of(place: ScreenPlace) -> type[BaseScreen]:
    module, _, name = place.screen.partition(":")
    found = getattr(import_module(module), name)
    assert issubclass(found, BaseScreen)
    return found


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.id)
def test_every_action_is_done_by_somebody_with_operations_that_exist(action: KeyAction) -> None:
    assert set(action.ops) <= set(TABLE)
    if action.id in PLACE_ACTIONS:
        return
    owner = Terminal if action.place == EVERYWHERE else screen_of(PLACES[action.place])
    assert callable(getattr(owner, action.method))


def test_whatever_the_command_line_can_do_has_a_key_or_a_reason() -> None:
    commands = {".".join(command.names) for command in COMMANDS if not command.alias}
    done = {name for action in ACTIONS.values() for name in (*action.ops, *action.also)}
    done |= {op for place in PLACES.values() for op in place.ops}
    assert not sorted(commands - done - ELSEWHERE.keys()), "neither a key nor a reason"
    assert not sorted(done & ELSEWHERE.keys()), "a key, and a reason why there is none"
    assert not sorted(ELSEWHERE.keys() - commands), "a reason for nothing"
    assert not sorted(done - commands - TABLE.keys()), "nothing is called so"
    own = {"case.notice", "case.carry-out", "hr.alarm", "proposal.add", "proposal.lapse"}  # HR's word, and the agent's
    own |= {"request.add", "request.support"}  # `shoumi request` and `support`: for people without a role
    acts = {name for name, operation in TABLE.items() if operation.act} - own
    assert not sorted(acts - done - ELSEWHERE.keys())
    assert all(en(why) and HAN.search(zh(why)) for why in ELSEWHERE.values())


def test_what_comes_next_in_a_departure_is_every_event_without_a_key_of_its_own() -> None:
    others = {"case.overtake", "case.carry-out"}  # by a notice of the personnel system, by the agent itself
    events = {f"case.{event}" for event in CaseEvent} - others
    keys = {op for action in ACTIONS.values() for op in action.ops}
    assert events - keys == set(ACTIONS["departures.next"].also)


@pytest.mark.parametrize("place", PLACES.values(), ids=lambda place: place.name)
def test_no_screen_does_anything_the_registry_does_not_name(place: ScreenPlace) -> None:
    screen = screen_of(place)
    assert place.name == screen.PLACE
    done = {name for name in vars(screen) if name.startswith("do_")}
    known = {action.method for action in actions_at(place.name)}
    assert done <= known


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.id)
def test_every_text_is_in_both_languages_and_a_title_is_short(action: KeyAction) -> None:
    for text in (action.title, action.help):
        assert en(text)
        assert zh(text)
    assert HAN.search(zh(action.help))
    assert len(en(action.title)) <= 14


@pytest.mark.parametrize("place", PLACES)
def test_no_key_means_two_things_in_one_place(place: str) -> None:
    keys = [key for action in actions_at(place) for key in action.key.split(",")]
    assert len(keys) == len(set(keys))
    moving = {key for binding in VirtualList.BINDINGS for key in binding.key.split(",")}  # type: ignore[union-attr]
    assert not moving - {"end"} & set(keys)


def test_every_binding_has_the_id_by_which_a_site_remaps_it() -> None:
    for place in (EVERYWHERE, *PLACES):
        assert [binding.id for binding in bindings(place)] == [action.id for action in actions_of(place)]


def test_a_key_is_shown_as_it_is_pressed_and_as_the_site_has_it() -> None:
    assert key_of(ACTIONS["everywhere.help"], {}) == "?"
    assert key_of(ACTIONS["everywhere.quit"], {}) == "ctrl+q"
    assert key_of(ACTIONS["log.filter"], {"log.filter": "ctrl+f"}) == "ctrl+f"
