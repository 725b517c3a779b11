"""Writing scopes: who needs to know of an area or room.

Rules of this file: a person in a scope is registered; a department or a project is a word, compared exactly.
"""

from agent.registry.repositories.references import require_person
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import DEPARTMENT, PERSON, PROJECT
from agent.registry.validation import identifier
from rules.model import Scope


class ScopeRepository:
    """Scopes, by the key of their area or room. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def set(self, key: int, scope: Scope) -> None:
        """Replace the scope."""
        self.clear(key)
        for person in scope.persons:
            require_person(self._transaction, person)
        for kind, what, members in (
            ("person", PERSON, scope.persons),
            ("department", DEPARTMENT, scope.departments),
            ("project", PROJECT, scope.projects),
        ):
            for member in sorted(members):
                self._transaction.insert("scope", resource=key, kind=kind, member=identifier(member, what))

    def clear(self, key: int) -> None:
        """Take everybody out."""
        self._transaction.execute("DELETE FROM scope WHERE resource = ?", key)

    def remove_person(self, person: str) -> list[str]:
        """Take *person* out of every scope that names them, and return the areas and rooms, by name."""
        left = self._transaction.execute(
            "SELECT name FROM scope JOIN resources ON key = resource WHERE scope.kind = 'person' AND member = ?"
            " ORDER BY name",
            person,
        ).fetchall()
        self._transaction.execute("DELETE FROM scope WHERE kind = 'person' AND member = ?", person)
        return [name for (name,) in left]
