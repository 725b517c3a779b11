"""Writing people: who they are, what they are cleared for, what they work on.

Rules of this file: a person is never deleted; who has left is inactive. Nobody approves their own level (D01-4.4).
"""

from collections.abc import Iterable

from agent.errors import RefusedError
from agent.registry.repositories.references import require_person
from agent.registry.repositories.scopes import ScopeRepository
from agent.registry.repositories.transaction import Transaction
from agent.registry.rows.papers import Paper, columns
from agent.registry.terms import DEPARTMENT, DOMAIN, PERSON, PROJECT
from agent.registry.validation import identifier, taken, words
from rules.model import Clearance, Employment, Level
from rules.text import Text

_NAME = Text("name", "姓名")
_POST = Text("post", "岗位")


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
            raise taken(PERSON, person, "", Text("change it with `shoumi person set`", "请用 `shoumi person set` 修改"))
        self._transaction.insert(
            "people",
            id=person,
            name=words(name, _NAME),
            department=_maybe(department, DEPARTMENT),
            post=words(post, _POST),
            employment=employment,
            active=True,
            added_at=self._transaction.stamp,
        )
        self._projects(person, projects)
        for clearance in clearances:
            self.set_clearance(person, clearance, paper)

    def exists(self, person: str) -> bool:
        """Whether there is somebody of this id."""
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
        """Change what is given and leave the rest. *projects* replaces the whole set.

        A change of post that makes vetting and grants start anew is :meth:`change_post`.
        """
        require_person(self._transaction, person)
        self._transaction.update(
            "people",
            "id",
            person,
            name=None if name is None else words(name, _NAME),
            department=None if department is None else _maybe(department, DEPARTMENT),
            post=None if post is None else words(post, _POST),
            employment=employment,
            active=active,
            heads=None if heads is None else words(heads, DEPARTMENT),
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
        """Set the level in one domain; ``Level.NONE`` takes it away but keeps the row for the dossier.

        *paper*: what somebody signed for it by hand, and the caller writes down.
        """
        require_person(self._transaction, person)
        identifier(clearance.domain, DOMAIN)
        if clearance.approved_by == person and clearance.level > Level.NONE:
            raise RefusedError(
                Text("nobody approves his own level", "任何人不得审批本人的密级"),
                Text("let another officer approve it", "请由其他人员审批"),
            )
        self._transaction.execute(
            "INSERT INTO clearances (person, domain, level, label, approved_by, set_at, paper_by, paper, paper_on)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (person, domain) DO UPDATE SET level = excluded.level,"
            " label = excluded.label, approved_by = excluded.approved_by, set_at = excluded.set_at,"
            " paper_by = excluded.paper_by, paper = excluded.paper, paper_on = excluded.paper_on",
            person,
            clearance.domain,
            int(clearance.level),
            words(clearance.label, Text("label", "类别名称")),
            words(clearance.approved_by, Text("approver", "审批人")),
            self._transaction.stamp,
            *columns(paper).values(),
        )

    def _projects(self, person: str, projects: Iterable[str]) -> None:
        for project in sorted(set(projects)):
            self._transaction.insert("projects", person=person, project=identifier(project, PROJECT))


def _maybe(value: str, what: Text) -> str:
    """A department is compared exactly with a scope, so it is a name, or empty."""
    return identifier(value, what) if value else ""
