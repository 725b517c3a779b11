"""Registry of every place and action of the terminal, for keys, footer, help, palette, docs and tests.

Rules of this package: declarations only, no widget and no import of Textual, so that docs and tests can load it. One
file per place; :data:`PLACES` and :data:`ACTIONS` are their sum, in the order of the help. A site remaps a key by the
id of its action (``[keys]`` in ``terminal.toml``), so an id is never reused for another action.
"""

from tui.keys import areas, departures, everywhere, home, log, people, proposals, rooms, rules, system
from tui.keys.shape import EVERYWHERE, KeyAction, ScreenPlace

_FAMILIES = (home, log, people, areas, rooms, departures, proposals, rules, system)

PLACES: dict[str, ScreenPlace] = {family.PLACE.name: family.PLACE for family in _FAMILIES}
ACTIONS: dict[str, KeyAction] = {
    action.id: action
    for action in (
        *everywhere.ACTIONS,
        *(place.action for place in PLACES.values()),
        *(action for family in _FAMILIES for action in family.ACTIONS),
    )
}
PLACE_ACTIONS: dict[str, str] = {
    place.action.id: place.name for place in PLACES.values()
}  # actions that lead to a place


def actions_of(place: str) -> list[KeyAction]:
    """Return the actions of one place, or of :data:`EVERYWHERE`, in order."""
    return [action for action in ACTIONS.values() if action.place == place]


def actions_at(place: str) -> list[KeyAction]:
    """Return the actions available at *place*: its own first, then those of every screen."""
    return actions_of(place) + actions_of(EVERYWHERE)
