"""What the registry of actions is used for: key bindings, keys as people read them, and doing what was asked.

Rules of this file: a key, the palette and a test all go through :func:`perform`. What cannot be done now is not hidden:
it says why. A site's own keys replace the registry's for one action at a time.
"""

import inspect
from collections.abc import Mapping
from typing import Protocol

from textual.binding import Binding

from rules.text import Text
from tui.keys import ACTIONS, WAYS, actions_of
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


class Asked(Protocol):
    """The program, as far as actions are concerned."""

    def target(self, action: KeyAction) -> object:
        """Return whose method does *action*."""

    def why_not(self, action: KeyAction) -> Text | None:
        """Return why *action* cannot be done now."""

    def refuse(self, action: KeyAction, why: Text) -> None:
        """Say that *action* cannot be done."""

    def go(self, place: str) -> None:
        """Show a place."""


def bindings(place: str) -> list[Binding]:
    """Return the key bindings of a place. The id makes them remappable."""
    return [
        Binding(action.key, f"app.act('{action.id}')", action.title.en, show=False, id=action.id)
        for action in actions_of(place)
    ]


async def perform(program: Asked, ident: str) -> bool:
    """Do the action of this id, or say why it cannot be done; return whether it was begun."""
    action = ACTIONS[ident]
    if why := program.why_not(action):
        program.refuse(action, why)
        return False
    if place := WAYS.get(ident):
        program.go(place)
        return True
    done = getattr(program.target(action), action.method)()
    if inspect.isawaitable(done):
        await done
    return True


def key_of(action: KeyAction, keymap: Mapping[str, str]) -> str:
    """Return the key of *action* as a person reads it, with the site's own keys."""
    first = keymap.get(action.id, action.key).partition(",")[0]
    modifier, plus, key = first.rpartition("+")
    return f"{modifier}{plus}{_NAMES.get(key, key)}"
