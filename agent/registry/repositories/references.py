"""References of writes: the check that people, areas and rooms exist, and their keys.

Rules of this file: a missing reference is refused with the command that lists the existing ones. People know an area or
room by its name, the tables by its key, which is never reused.
"""

from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import AREA, PERSON, RESOURCE, ROOM
from agent.registry.validation import unknown
from rules.text import Sentence

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


def _key(transaction: Transaction, name: str, kind: str, term: Sentence, command: str) -> int:
    key_row = transaction.row(_KEY, name, kind)
    if key_row is None:
        raise unknown(term, name, command)
    return int(key_row[0])
