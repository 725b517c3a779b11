"""Writing the grants that an approved offboarding case ends, and those that are restored.

Rules of this file: the case stores each grant with its original end, because ending a grant overwrites it. Only a
lasting grant of an area or room that still exists can be restored.
"""

from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import maybe_moment, moment, number, numbered
from agent.registry.repositories.grants import GrantRepository
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import CASE, GRANT
from rules.offboarding.case import OffboardingCase
from rules.text import Message
from rules.visible import visible


class CaseGrantRepository:
    """Grants that cases ended. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction, grants: GrantRepository) -> None:
        self._transaction = transaction
        self._grants = grants

    def end_all(self, case: OffboardingCase, *, by: str) -> list[str]:
        """End every running or coming grant of the person, and return the numbers."""
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
        """Return the resource, start and end of a lasting grant that *case* ended; raise if it cannot be restored."""
        fields = self._transaction.row(
            "SELECT name, case_grants.since, case_grants.until FROM case_grants"
            " JOIN grants ON ended_grant = grants.number JOIN resources ON key = resource"
            " WHERE departure_case = ? AND ended_grant = ? AND temporary = 0 AND removed_at IS NULL",
            number("C", case.id, CASE),
            number("G", grant, GRANT),
        )
        if fields is None:
            shown_grant = visible(grant)
            raise RefusedError(
                Message("registry.grant-not-restorable", grant=shown_grant),
                Message("registry.restorable-grants"),
            )
        return str(fields[0]), moment(fields[1]), maybe_moment(fields[2])

    def restore(self, case: OffboardingCase, grant: str, *, reason: str, approver: str) -> str:
        """Restore a grant that *case* ended, with its original end, and return the number of the new grant."""
        resource, since, until = self.get(case, grant)
        begins = max(since, self._transaction.at)
        return self._grants.add(case.person, resource, reason=reason, approver=approver, since=begins, until=until)
