"""Writing what an approved departure takes from a person, and what of it is given again.

Rules of this file: the case keeps each grant with the end it had, because ending one overwrites it. Only a lasting
grant of an area or room that is still there can be given again.
"""

from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import maybe_moment, moment, number, numbered
from agent.registry.repositories.grants import GrantRepository
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import CASE, GRANT
from rules.offboarding.case import OffboardingCase
from rules.text import Text
from rules.visible import visible


class CaseGrantRepository:
    """Grants that cases ended. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction, grants: GrantRepository) -> None:
        self._transaction = transaction
        self._grants = grants

    def end_all(self, case: OffboardingCase, *, by: str) -> list[str]:
        """End every grant of the leaver that runs or is to come, and return their numbers."""
        row = number("C", case.id, CASE)
        self._transaction.execute(
            "INSERT INTO case_grants SELECT ?, number, since, until FROM grants"
            " WHERE person = ? AND (until IS NULL OR until > ?)",
            row,
            case.person,
            self._transaction.stamp,
        )
        rows = self._transaction.execute("SELECT ended_grant FROM case_grants WHERE departure_case = ? ORDER BY 1", row)
        ended = [numbered("G", grant) for (grant,) in rows.fetchall()]
        for grant in ended:
            self._grants.end(grant, by=by, reason=case.id)
        return ended

    def get(self, case: OffboardingCase, grant: str) -> tuple[str, datetime, datetime | None]:
        """Return the resource, start and end of a lasting grant that *case* ended; raise when it cannot be given."""
        found = self._transaction.row(
            "SELECT name, case_grants.since, case_grants.until FROM case_grants"
            " JOIN grants ON ended_grant = grants.number JOIN resources ON key = resource"
            " WHERE departure_case = ? AND ended_grant = ? AND temporary = 0 AND removed_at IS NULL",
            number("C", case.id, CASE),
            number("G", grant, GRANT),
        )
        if found is None:
            shown = visible(grant)
            raise RefusedError(
                Text(f"grant `{shown}` is none that this case can give again", f"授权 `{shown}` 不能由本案恢复"),
                Text(
                    "only a lasting one that the case ended, of an area that is there; else: shoumi grant add",
                    "仅限本案终止、目录仍在的长期授权；其他请用 shoumi grant add",
                ),
            )
        return str(found[0]), moment(found[1]), maybe_moment(found[2])

    def restore(self, case: OffboardingCase, grant: str, *, reason: str, approver: str) -> str:
        """Give a grant that *case* ended once more, with the end it had, and return the new one's number."""
        resource, since, until = self.get(case, grant)
        begins = max(since, self._transaction.at)
        return self._grants.add(case.person, resource, reason=reason, approver=approver, since=begins, until=until)
