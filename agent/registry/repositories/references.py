"""What a write refers to must be there: people, areas and rooms, and their keys.

Rules of this file: what is not there is refused with the command that lists what is. An area or room is known to people
by its name and to the tables by its key, which is never used again.
"""

from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import AREA, PERSON, RESOURCE, ROOM
from agent.registry.validation import unknown
from rules.text import Text

_KEY = "SELECT key FROM resources WHERE name = ? AND kind LIKE ? AND removed_at IS NULL"


def require_person(transaction: Transaction, person: str) -> None:
    """Raise :class:`agent.errors.RefusedError` unless there is this person."""
    if transaction.row("SELECT 1 FROM people WHERE id = ?", person) is None:
        raise unknown(PERSON, person, "shoumi person list")


def require_area(transaction: Transaction, name: str) -> int:
    """Return the key of the area; raise :class:`agent.errors.RefusedError` when there is none."""
    return _key(transaction, name, "area", AREA, "shoumi area list")


def require_room(transaction: Transaction, name: str) -> int:
    """Return the key of the room; raise :class:`agent.errors.RefusedError` when there is none."""
    return _key(transaction, name, "room", ROOM, "shoumi room list")


def require_resource(transaction: Transaction, name: str) -> int:
    """Return the key of the area or room; raise :class:`agent.errors.RefusedError` when there is none."""
    return _key(transaction, name, "%", RESOURCE, "shoumi area list")


def _key(transaction: Transaction, name: str, kind: str, what: Text, command: str) -> int:
    found = transaction.row(_KEY, name, kind)
    if found is None:
        raise unknown(what, name, command)
    return int(found[0])
