"""Queries of proposals: acts that wait for a second officer, and their outcomes.

Rules of this file: proposals are in the order in which they were made.
"""

from agent.registry.columns import number
from agent.registry.queries.connection import QueryConnection, Row, when
from agent.registry.terms import PROPOSAL
from agent.registry.validation import unknown

_PROPOSALS = (
    'SELECT printf(\'P%06d\', number) AS id, act, given AS "given [json]", would AS "would [json]",'
    ' asked AS "asked [json]", uid, login_uid, role, proposed_by, requested_by,'
    " supported_by, supported_at, at, lapses, outcome, ended_at, ended_by, end_reason"
    " FROM proposals"
)


class ProposalQueries:
    """Queries of proposals."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def get(self, name: str) -> Row:
        """Return the proposal of this number; raise ``RefusedError`` when there is none."""
        rows = self._connection.select(_PROPOSALS, {"number = ?": (number("P", name, PROPOSAL),)})
        if not rows:
            raise unknown(PROPOSAL, name, "shoumi proposal list")
        return rows[0]

    def find(self, *, ended: bool = False) -> list[Row]:
        """Return the waiting proposals; with *ended* also those that have ended."""
        return self._connection.select(_PROPOSALS, {} if ended else {"outcome IS NULL": ()}, "ORDER BY number")

    def requests(self, person: str = "", *, most: int = 100) -> list[Row]:
        """Return the requests of people: the newest of *person*, or the waiting ones of all."""
        conditions = when("requested_by", person) if person else {"outcome IS NULL AND requested_by <> ''": ()}
        return self._connection.select(_PROPOSALS, conditions, f"ORDER BY number DESC LIMIT {int(most)}")

    def asking(self) -> dict[str, int]:
        """Return the number of requests that no officer has taken up, by department of the requester."""
        rows = self._connection.select(
            "SELECT department, count(*) AS waiting FROM proposals JOIN people ON people.id = requested_by"
            " WHERE outcome IS NULL AND role = 'person' GROUP BY department"
        )
        return {str(row["department"]): int(str(row["waiting"])) for row in rows}

    def lapsed(self, now: str) -> list[Row]:
        """Return the waiting proposals that have lapsed at the stored instant *now*."""
        return self._connection.select(_PROPOSALS, {"outcome IS NULL AND lapses <= ?": (now,)}, "ORDER BY number")
