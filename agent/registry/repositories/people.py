"""Writing people: their data, clearances and projects.

Rules of this file: a person is never deleted; a person who has left is inactive. Nobody approves their own level
(D01-4.4).
"""

from collections.abc import Iterable

from agent.errors import RefusedError
from agent.registry.repositories.references import require_person
from agent.registry.repositories.scopes import ScopeRepository
from agent.registry.repositories.transaction import Transaction
from agent.registry.rows.papers import Paper, columns
from agent.registry.terms import DEPARTMENT, DOMAIN, PERSON, PROJECT
from agent.registry.validation import free_text, identifier, taken
from rules.model import Clearance, Employment, Level
from rules.text import Message, Sentence

_NAME = Message("common.name")
_POST = Message("common.post")


class PersonRepository:
    """People. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction, scopes: ScopeRepository) -> None:
        self._transaction = transaction
        self._scopes = scopes

    def add(
        self,
        person: str,
        *,
        name: str = "",
        department: str = "",
        post: str = "",
        projects: Iterable[str] = (),
        employment: Employment = Employment.REGULAR,
        clearances: Iterable[Clearance] = (),
        paper: Paper | None = None,
    ) -> None:
        """Register a person; refused when the id is taken."""
        identifier(person, PERSON)
        if self.exists(person):
            raise taken(PERSON, person, "", Message("registry.change-with-person-set"))
        self._transaction.insert(
            "people",
            id=person,
            name=free_text(name, _NAME),
            department=_maybe(department, DEPARTMENT),
            post=free_text(post, _POST),
            employment=employment,
            active=True,
            added_at=self._transaction.stamp,
        )
        self._projects(person, projects)
        for clearance in clearances:
            self.set_clearance(person, clearance, paper)

    def exists(self, person: str) -> bool:
        """Return whether a person with this id is registered."""
        return self._transaction.row("SELECT 1 FROM people WHERE id = ?", person) is not None

    def set(
        self,
        person: str,
        *,
        name: str | None = None,
        department: str | None = None,
        post: str | None = None,
        projects: Iterable[str] | None = None,
        employment: Employment | None = None,
        active: bool | None = None,
        heads: str | None = None,
    ) -> None:
        """Change the given fields. *projects* replaces the whole set.

        A change of post after which vetting and grants no longer count is :meth:`change_post`.
        """
        require_person(self._transaction, person)
        self._transaction.update(
            "people",
            "id",
            person,
            name=None if name is None else free_text(name, _NAME),
            department=None if department is None else _maybe(department, DEPARTMENT),
            post=None if post is None else free_text(post, _POST),
            employment=employment,
            active=active,
            heads=None if heads is None else free_text(heads, DEPARTMENT),
        )
        if projects is not None:
            self._transaction.execute("DELETE FROM projects WHERE person = ?", person)
            self._projects(person, projects)

    def change_post(self, person: str, *, department: str | None = None, post: str | None = None) -> None:
        """Move a person to another post: vetting and grants from before no longer count (D03-2.10)."""
        self.set(person, department=department, post=post)
        self._transaction.update("people", "id", person, post_changed_at=self._transaction.stamp)

    def transfer(self, person: str, *, department: str | None = None, post: str | None = None) -> list[str]:
        """Move a person to another post, out of projects and named scopes; return the areas and rooms they left."""
        self.set(person, projects=())
        self.change_post(person, department=department, post=post)
        return self._scopes.remove_person(person)

    def set_clearance(self, person: str, clearance: Clearance, paper: Paper | None = None) -> None:
        """Set the level in one domain; ``Level.NONE`` removes it but keeps the row for the dossier.

        *paper*: the signed paper for it, as recorded by the caller.
        """
        require_person(self._transaction, person)
        identifier(clearance.domain, DOMAIN)
        if clearance.approved_by == person and clearance.level > Level.NONE:
            raise RefusedError(
                Message("registry.own-level-approval"),
                Message("registry.another-officer-approves"),
            )
        self._transaction.execute(
            "INSERT INTO clearances (person, domain, level, label, approved_by, set_at, paper_by, paper, paper_on)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (person, domain) DO UPDATE SET level = excluded.level,"
            " label = excluded.label, approved_by = excluded.approved_by, set_at = excluded.set_at,"
            " paper_by = excluded.paper_by, paper = excluded.paper, paper_on = excluded.paper_on",
            person,
            clearance.domain,
            int(clearance.level),
            free_text(clearance.label, Message("registry.label")),
            free_text(clearance.approved_by, Message("registry.approver")),
            self._transaction.stamp,
            *columns(paper).values(),
        )

    def _projects(self, person: str, projects: Iterable[str]) -> None:
        for project in sorted(set(projects)):
            self._transaction.insert("projects", person=person, project=identifier(project, PROJECT))


def _maybe(department: str, term: Sentence) -> str:
    """Return *department* if it is empty or an identifier: it is compared exactly with scopes."""
    return identifier(department, term) if department else ""
