"""Writing rooms: the rules for entering each, and the settings of its panel.

Rules of this file: rules and settings are replaced as a whole, and their fields are the columns. Removing a room ends
its grants, visits and lockdown; a new room of the same name has none.
"""

from dataclasses import asdict
from typing import Unpack

from agent.errors import RefusedError
from agent.registry.repositories.doors import DoorRepository
from agent.registry.repositories.grants import GrantRepository
from agent.registry.repositories.lockdowns import LockdownRepository
from agent.registry.repositories.presence import PresenceRepository
from agent.registry.repositories.references import require_room
from agent.registry.repositories.resources import NewResource, ResourceChange, ResourceRepository
from agent.registry.repositories.room_states import RoomStateRepository
from agent.registry.repositories.transaction import Transaction
from agent.registry.repositories.visits import VisitRepository
from agent.registry.terms import ROOM
from agent.registry.validation import free_text
from rules.model import RoomRules, RoomSettings
from rules.text import Message

_NO_RULES = RoomRules()
_NO_SETTINGS = RoomSettings()
_MOST = 86_400  # persons, or seconds of a day


class RoomRepository:
    """Rooms. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(
        self,
        transaction: Transaction,
        resources: ResourceRepository,
        grants: GrantRepository,
        doors: DoorRepository,
        visits: VisitRepository,
        lockdowns: LockdownRepository,
        presence: PresenceRepository,
        states: RoomStateRepository,
    ) -> None:
        self._transaction = transaction
        self._resources = resources
        self._grants = grants
        self._doors = doors
        self._visits = visits
        self._lockdowns = lockdowns
        self._presence = presence
        self._states = states

    def add(
        self,
        room: str,
        *,
        rules: RoomRules = _NO_RULES,
        settings: RoomSettings = _NO_SETTINGS,
        **common: Unpack[NewResource],
    ) -> None:
        """Register a room; refused when the name is taken."""
        key = self._resources.add(room, "room", ROOM, **common)
        self._transaction.insert("rooms", resource=key, **_rules(rules), **_settings(settings))

    def set(
        self,
        room: str,
        rules: RoomRules | None = None,
        settings: RoomSettings | None = None,
        **common: Unpack[ResourceChange],
    ) -> None:
        """Change the given fields; *rules* and *settings* replace all rules and panel settings of the room."""
        key = require_room(self._transaction, room)
        self._resources.set(key, **common)
        if rules is not None:
            self._transaction.update("rooms", "resource", key, **_rules(rules))
        if settings is not None:
            self._transaction.update("rooms", "resource", key, **_settings(settings))

    def remove(self, room: str) -> int:
        """Remove the room, end its grants, and return the number of running ones; refused while it has a door."""
        key = require_room(self._transaction, room)
        self._doors.require_none(key)
        ended = self._grants.end_all_to(key)
        self._visits.end_in(key)
        self._lockdowns.lift_in(key)
        self._presence.clear(key)
        self._states.forget(key)
        self._transaction.execute("DELETE FROM rooms WHERE resource = ?", key)
        self._resources.remove(key)
        return ended


def _rules(rules: RoomRules) -> dict[str, object]:
    _check(rules.occupancy_limit, range(_MOST))
    return asdict(rules)


def _settings(settings: RoomSettings) -> dict[str, object]:
    _check(settings.held_open_seconds, range(1, _MOST + 1))
    _check(settings.together_seconds, range(_MOST))
    free_text(settings.location, Message("common.location"))
    return asdict(settings)


def _check(count: int, allowed: range) -> None:
    if count not in allowed:
        raise RefusedError(
            Message("registry.limit-out-of-range", limit=count),
            Message("registry.limit-range", lowest=allowed[0], highest=allowed[-1]),
        )
