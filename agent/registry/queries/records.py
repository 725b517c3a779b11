"""Queries of records: valid records, and those that must be renewed soon.

Rules of this file: the pack says how long a kind of record lasts; the caller passes that in.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from agent.registry.columns import instant, moment
from agent.registry.queries.connection import QueryConnection, Row, when

_NEVER = datetime.max.replace(tzinfo=UTC)


class RecordQueries:
    """Queries of records."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, person: str = "", *, kind: str = "", void: bool = False) -> list[Row]:
        """Return the records in force, or with *void* all of them."""
        return self._connection.select(
            'SELECT printf(\'R%06d\', number) AS id, person, kind, dated AS "on", passed AS "passed [bool]",'
            " valid_until, topic, note, added_at, voided_at, void_reason FROM records",
            {**when("person", person), **when("kind", kind), "voided_at IS NULL OR ?": (void,)},
            "ORDER BY number",
        )

    def due(self, now: datetime, days: int, *, valid_days: Mapping[str, int] | None = None) -> list[Row]:
        """Return the records that active people must renew within *days*, lapsed ones included, soonest first.

        Of each person, kind and topic only the passed record with the latest end counts. It ends at its own
        ``valid_until`` or *valid_days* of its kind after its date, whichever is earlier; the row has this as ``ends``.
        """
        last: dict[tuple[object, ...], tuple[datetime, str, Row]] = {}
        for row in self._connection.select(
            "SELECT printf('R%06d', number) AS id, person, kind, dated AS \"on\", valid_until, topic FROM records",
            {"passed = 1": (), "voided_at IS NULL": (), "person IN (SELECT id FROM people WHERE active = 1)": ()},
        ):
            ends = _ends(row, valid_days or {})
            whose = (row["person"], row["kind"], row["topic"])
            if whose not in last or ends > last[whose][0]:
                last[whose] = ends, str(row["id"]), row
        due = sorted(
            (latest for latest in last.values() if latest[0] <= now + timedelta(days=days)), key=lambda f: f[:2]
        )
        return [row | {"ends": instant(ends)} for ends, _, row in due]


def _ends(row: Row, valid_days: Mapping[str, int]) -> datetime:
    printed = row["valid_until"]
    ends = _NEVER if printed is None else moment(str(printed))
    days = valid_days.get(str(row["kind"]))
    return ends if days is None else min(ends, moment(str(row["on"])) + timedelta(days=days))
