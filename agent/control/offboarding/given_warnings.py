"""Which warnings were given, in a file of the home, so that a restart repeats nothing; and grants as warnings see them.

Rules of this file: what is lost is said twice, which does no harm.
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
    """Return what :func:`write_warnings` wrote; nothing, where it cannot be read."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return frozenset(
            GivenWarning(Sort(sort), person, name, datetime.fromisoformat(until), timedelta(seconds=int(lead)))
            for sort, person, name, until, lead in rows
        )
    except (OSError, ValueError, TypeError, OverflowError, RecursionError):
        return frozenset()


def write_warnings(file: Path, said: Iterable[GivenWarning]) -> None:
    """Keep *said* in *file*, whole or not at all. Raises ``OSError``."""
    rows = sorted(
        [one.sort.value, one.person, one.name, one.until.isoformat(), int(one.lead.total_seconds())] for one in said
    )
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    fresh.chmod(0o600)
    fresh.replace(file)


def grant_of(row: Row) -> Grant:
    """Return a row of the grants, see :class:`agent.registry.queries.grants.GrantQueries`, as a decision knows it."""
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
