"""Writing need-to-know scopes of areas and rooms.

Rules of this file: a person in a scope is registered; a department or a project is a word that is compared exactly.
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
        for kind, term, members in (
            ("person", PERSON, scope.persons),
            ("department", DEPARTMENT, scope.departments),
            ("project", PROJECT, scope.projects),
        ):
            for member in sorted(members):
                self._transaction.insert("scope", resource=key, kind=kind, member=identifier(member, term))

    def clear(self, key: int) -> None:
        """Delete all members of the scope."""
        self._transaction.execute("DELETE FROM scope WHERE resource = ?", key)

    def remove_person(self, person: str) -> list[str]:
        """Remove *person* from every scope that names them, and return the names of these areas and rooms."""
        names = self._transaction.execute(
            "SELECT name FROM scope JOIN resources ON key = resource WHERE scope.kind = 'person' AND member = ?"
            " ORDER BY name",
            person,
        ).fetchall()
        self._transaction.execute("DELETE FROM scope WHERE kind = 'person' AND member = ?", person)
        return [name for (name,) in names]
