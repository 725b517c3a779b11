"""Rows of one :class:`rules.model.Person`: everything on which a verdict about one resource may depend.

Rules of this file: standard library only; the caller holds the read transaction. Lifted holds, voided records and
departures set aside are left out; rows that are over by their own date stay, because the rules then give that as the
reason.
"""

import sqlite3

from agent.registry.columns import maybe_moment, moment, numbered
from agent.registry.rows.presence import inside
from agent.registry.rows.visits import visits
from rules.model import Clearance, Departure, DepartureStage, Employment, Grant, Hold, Level, Person, Record

_STOPPED = """
SELECT id FROM people WHERE active = 0
UNION SELECT person FROM holds WHERE lifted_at IS NULL AND since <= ?1
UNION SELECT person FROM departures
    WHERE set_aside_at IS NULL AND approved_at <= ?1 AND (effective_at IS NULL OR effective_at <= ?1)
"""


def person(
    connection: sqlite3.Connection, person_id: str, resource: int | None, *, is_room: bool = False
) -> Person | None:
    """Return the person with the grants and visits to *resource* (a key of ``resources``), ``None`` when unknown."""
    row = connection.execute(
        "SELECT name, department, employment, active, post_changed_at FROM people WHERE id = ?", (person_id,)
    ).fetchone()
    if row is None:
        return None
    name, department, employment, active, post_changed_at = row
    return Person(
        id=person_id,
        name=name,
        department=department,
        projects=_column_values(connection, "SELECT project FROM projects WHERE person = ?", person_id),
        employment=Employment(employment),
        active=bool(active),
        clearances=_clearances(connection, person_id),
        records=_records(connection, person_id),
        grants=() if resource is None else _grants(connection, person_id, resource),
        holds=_holds(connection, person_id),
        departures=_departures(connection, person_id),
        post_changed_at=maybe_moment(post_changed_at),
        badges=_column_values(connection, "SELECT number FROM badges WHERE person = ? AND state = 'active'", person_id),
        visits=visits(connection, person_id, resource) if is_room else (),
        inside=inside(connection, person_id),
    )


def stopped(connection: sqlite3.Connection, now: str) -> frozenset[str]:
    """Return the people who are inactive, on hold or leaving at the stored instant *now*.

    No verdict depends on this list: it names the people whose cards door boards do not need.
    """
    return frozenset(person for (person,) in connection.execute(_STOPPED, (now,)))


def _column_values(connection: sqlite3.Connection, question: str, person: str) -> frozenset[str]:
    return frozenset(cell for (cell,) in connection.execute(question, (person,)))


def _clearances(connection: sqlite3.Connection, person: str) -> tuple[Clearance, ...]:
    rows = connection.execute(
        "SELECT domain, level, label, approved_by FROM clearances WHERE person = ? ORDER BY domain", (person,)
    )
    return tuple(Clearance(domain, Level(level), label, approved_by) for domain, level, label, approved_by in rows)


def _records(connection: sqlite3.Connection, person: str) -> tuple[Record, ...]:
    rows = connection.execute(
        "SELECT kind, dated, passed, valid_until, topic FROM records"
        " WHERE person = ? AND voided_at IS NULL ORDER BY number",
        (person,),
    )
    return tuple(
        Record(kind, moment(dated), bool(passed), maybe_moment(valid_until), topic)
        for kind, dated, passed, valid_until, topic in rows
    )


def _grants(connection: sqlite3.Connection, person: str, resource: int) -> tuple[Grant, ...]:
    rows = connection.execute(
        "SELECT number, resources.name, reason, approver, since, until, temporary"
        " FROM grants JOIN resources ON resources.key = grants.resource"
        " WHERE person = ? AND resource = ? ORDER BY number",
        (person, resource),
    )
    return tuple(
        Grant(
            id=numbered("G", number),
            person=person,
            resource=name,
            reason=reason,
            approver=approver,
            since=moment(since),
            until=maybe_moment(until),
            temporary=bool(temporary),
        )
        for number, name, reason, approver, since, until, temporary in rows
    )


def _holds(connection: sqlite3.Connection, person: str) -> tuple[Hold, ...]:
    rows = connection.execute(
        "SELECT since, reason FROM holds WHERE person = ? AND lifted_at IS NULL ORDER BY number", (person,)
    )
    return tuple(Hold(moment(since), reason) for since, reason in rows)


def _departures(connection: sqlite3.Connection, person: str) -> tuple[Departure, ...]:
    rows = connection.execute(
        "SELECT stage, approved_at, cooling_off_until, approver, effective_at FROM departures"
        " WHERE person = ? AND set_aside_at IS NULL ORDER BY number",
        (person,),
    )
    return tuple(
        Departure(
            DepartureStage(stage),
            maybe_moment(approved_at),
            maybe_moment(cooling_off_until),
            approver,
            maybe_moment(effective_at),
        )
        for stage, approved_at, cooling_off_until, approver, effective_at in rows
    )
