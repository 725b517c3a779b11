"""Writing people: who they are, what they are cleared for, what they work on.

Rules of this file: a person is never deleted; who has left is inactive. Nobody clears himself (D01-4.4).
"""

from collections.abc import Iterable

from agent.errors import RefusedError
from agent.registry.transaction import PERSON, Transaction, identifier, taken, words
from rules.model import Clearance, Employment, Level
from rules.text import Text

_DOMAIN = Text("domain", "秘密种类")
_PROJECT = Text("project", "项目")
_DEPARTMENT = Text("department", "部门")
_POST = Text("post", "岗位")


class PeopleWrites(Transaction):
    """Writes about one person. All raise :class:`agent.errors.RefusedError`."""

    def add_person(
        self,
        person: str,
        *,
        name: str = "",
        department: str = "",
        post: str = "",
        projects: Iterable[str] = (),
        employment: Employment = Employment.REGULAR,
        clearances: Iterable[Clearance] = (),
    ) -> None:
        """Register a person; refused when the id is taken."""
        identifier(person, PERSON)
        if self._row("SELECT 1 FROM people WHERE id = ?", person):
            raise taken(PERSON, person, "", Text("change it with `shoumi person set`", "请用 `shoumi person set` 修改"))
        self._run(
            "INSERT INTO people (id, name, department, post, employment, active, added_at)"
            " VALUES (?, ?, ?, ?, ?, 1, ?)",
            person,
            words(name, Text("name", "姓名")),
            _maybe(department, _DEPARTMENT),
            words(post, _POST),
            employment.value,
            self._at,
        )
        self._projects(person, projects)
        for clearance in clearances:
            self.set_clearance(person, clearance)

    def set_person(
        self,
        person: str,
        *,
        name: str | None = None,
        department: str | None = None,
        post: str | None = None,
        projects: Iterable[str] | None = None,
        employment: Employment | None = None,
        active: bool | None = None,
    ) -> None:
        """Change what is given and leave the rest. *projects* replaces the whole set.

        A change of post that makes vetting and grants start anew is :meth:`change_post`.
        """
        self._need_person(person)
        self._set(
            "people",
            "id",
            person,
            name=None if name is None else words(name, Text("name", "姓名")),
            department=None if department is None else _maybe(department, _DEPARTMENT),
            post=None if post is None else words(post, _POST),
            employment=None if employment is None else employment.value,
            active=None if active is None else int(active),
        )
        if projects is not None:
            self._run("DELETE FROM projects WHERE person = ?", person)
            self._projects(person, projects)

    def change_post(self, person: str, *, department: str | None = None, post: str | None = None) -> None:
        """Move a person to another post: vetting and grants from before no longer count (D03-2.10)."""
        self.set_person(person, department=department, post=post)
        self._set("people", "id", person, post_changed_at=self._at)

    def set_clearance(self, person: str, clearance: Clearance) -> None:
        """Set the level in one domain; ``Level.NONE`` takes it away but keeps the row for the dossier."""
        self._need_person(person)
        identifier(clearance.domain, _DOMAIN)
        if clearance.approved_by == person and clearance.level > Level.NONE:
            raise RefusedError(
                Text("nobody approves his own level", "任何人不得审批本人的密级"),
                Text("let another officer approve it", "请由其他人员审批"),
            )
        self._run(
            "INSERT INTO clearances (person, domain, level, label, approved_by, set_at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (person, domain) DO UPDATE SET level = excluded.level, label = excluded.label,"
            " approved_by = excluded.approved_by, set_at = excluded.set_at",
            person,
            clearance.domain,
            int(clearance.level),
            words(clearance.label, Text("label", "类别名称")),
            words(clearance.approved_by, Text("approver", "审批人")),
            self._at,
        )

    def _projects(self, person: str, projects: Iterable[str]) -> None:
        for project in sorted(set(projects)):
            self._run("INSERT INTO projects VALUES (?, ?)", person, identifier(project, _PROJECT))


def _maybe(value: str, what: Text) -> str:
    """A department is compared exactly with a scope, so it is a name, or empty."""
    return identifier(value, what) if value else ""
