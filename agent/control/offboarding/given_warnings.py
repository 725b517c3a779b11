"""Store of warnings already given, a file of the home; and conversion of grant rows for warnings.

Rules of this file: a lost file repeats warnings, which does no harm.
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from agent.offboard.expiring import GivenWarning, Sort
from agent.registry.columns import maybe_moment, moment
from agent.registry.queries.connection import Row
from rules.model import Grant


def read_warnings(file: Path) -> frozenset[GivenWarning]:
    """Return the warnings that :func:`write_warnings` stored; none when the file cannot be read."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return frozenset(
            GivenWarning(Sort(sort), person, name, datetime.fromisoformat(until), timedelta(seconds=int(lead)))
            for sort, person, name, until, lead in rows
        )
    except (OSError, ValueError, TypeError, OverflowError, RecursionError):
        return frozenset()


def write_warnings(file: Path, warnings: Iterable[GivenWarning]) -> None:
    """Store *warnings* in *file* atomically. Raises ``OSError``."""
    rows = sorted(
        [warning.sort.value, warning.person, warning.name, warning.until.isoformat(), int(warning.lead.total_seconds())]
        for warning in warnings
    )
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    fresh.chmod(0o600)
    fresh.replace(file)


def grant_of(row: Row) -> Grant:
    """Return a row of :class:`agent.registry.queries.grants.GrantQueries` as a :class:`Grant`."""
    return Grant(
        str(row["id"]),
        str(row["person"]),
        str(row["resource"]),
        str(row["reason"]),
        str(row["approver"]),
        moment(str(row["since"])),
        maybe_moment(None if row["until"] is None else str(row["until"])),
        temporary=bool(row["temporary"]),
    )
