"""Rows of :class:`rules.model.Facts`: exactly the facts that one decision may use.

Rules of this file: standard library only; the caller holds the read transaction, so that all facts are from one
instant.
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
    """Return the facts about these subjects and the area or room *name*; unknown ones are absent."""
    place = resource(connection, name)
    key, is_room = (None, False) if place is None else (place[0], place[1].room is not None)
    people = {person_id: person(connection, person_id, key, is_room=is_room) for person_id in persons}
    return Facts(
        persons={person_id: human for person_id, human in people.items() if human},
        resources={} if place is None else {name: place[1]},
        services={program: service_found for program in services if (service_found := service(connection, program))},
        holidays=holidays(connection),
        lockdowns=lockdowns(connection),
        here=setting(connection, HOST_ROOM),
    )
