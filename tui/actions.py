"""Use of the action registry: key bindings, key names for people, and execution of actions.

Rules of this file: a key, the palette and a test all go through :func:`perform`. An action that cannot be used now is
not hidden: it shows the reason. The keys of a site replace those of the registry, one action at a time.
"""

import inspect
from collections.abc import Mapping
from typing import Protocol

from textual.binding import Binding

from agent.language.catalogue import localized
from rules.text import Sentence
from tui.keys import ACTIONS, PLACE_ACTIONS, actions_of
from tui.keys.shape import KeyAction

_NAMES = {
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "escape": "esc",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "plus": "+",
    "minus": "-",
    "space": "space",
    "exclamation_mark": "!",
}


class ActionHost(Protocol):
    """The interface of the program that actions need."""

    def target(self, action: KeyAction) -> object:
        """Return the object whose method executes *action*."""

    def why_not(self, action: KeyAction) -> Sentence | None:
        """Return the reason why *action* cannot be used now; ``None`` when it can."""

    def refuse(self, action: KeyAction, reason: Sentence) -> None:
        """Show why *action* cannot be used."""

    def go(self, place: str) -> None:
        """Show a place."""


def bindings(place: str) -> list[Binding]:
    """Return the key bindings of a place. Their ids make them remappable."""
    return [
        Binding(action.key, f"app.act('{action.id}')", localized(action.title, "en"), show=False, id=action.id)
        for action in actions_of(place)
    ]


async def perform(program: ActionHost, ident: str) -> bool:
    """Execute the action of this id, or show why it cannot be used; return whether it was started."""
    action = ACTIONS[ident]
    if reason := program.why_not(action):
        program.refuse(action, reason)
        return False
    if place := PLACE_ACTIONS.get(ident):
        program.go(place)
        return True
    pending = getattr(program.target(action), action.method)()
    if inspect.isawaitable(pending):
        await pending
    return True


def key_of(action: KeyAction, keymap: Mapping[str, str]) -> str:
    """Return the key of *action* as people read it, with the remapped keys of the site."""
    first = keymap.get(action.id, action.key).partition(",")[0]
    modifier, plus, key = first.rpartition("+")
    return f"{modifier}{plus}{_NAMES.get(key, key)}"
