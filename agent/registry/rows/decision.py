"""From rows to :class:`rules.model.Facts`: all that one decision may know, and no more.

Rules of this file: standard library only; the caller holds the read transaction, so that all of it is from one instant.
"""

import sqlite3
from collections.abc import Iterable

from agent.registry.rows.alarms import lockdowns
from agent.registry.rows.persons import person
from agent.registry.rows.resources import resource
from agent.registry.rows.services import service
from agent.registry.rows.settings import HOST_ROOM, holidays, setting
from rules.model import Facts


def facts(connection: sqlite3.Connection, persons: Iterable[str], name: str, services: Iterable[str]) -> Facts:
    """Return what is known of these subjects and of the area or room *name*; who or what is unknown is absent."""
    place = resource(connection, name)
    key, is_room = (None, False) if place is None else (place[0], place[1].room is not None)
    people = {who: person(connection, who, key, is_room=is_room) for who in persons}
    return Facts(
        persons={who: human for who, human in people.items() if human},
        resources={} if place is None else {name: place[1]},
        services={program: found for program in services if (found := service(connection, program))},
        holidays=holidays(connection),
        lockdowns=lockdowns(connection),
        here=setting(connection, HOST_ROOM),
    )
