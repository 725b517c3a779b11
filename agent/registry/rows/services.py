"""From rows to services: programs with a uid of their own.

Rules of this file: standard library only; the caller holds the read transaction. An inactive service is there, and says
so.
"""

import sqlite3

from agent.registry.columns import path_bytes, path_text
from rules.model import Service


def service_of(connection: sqlite3.Connection, uid: int, executable: str) -> str | None:
    """Return the service that runs *executable* as *uid*."""
    found = connection.execute(
        "SELECT id FROM services WHERE uid = ? AND executable = ?", (uid, path_bytes(executable))
    ).fetchone()
    return None if found is None else str(found[0])


def service(connection: sqlite3.Connection, service_id: str) -> Service | None:
    """Return the service of this name, or ``None`` when unknown."""
    found = connection.execute("SELECT uid, executable, active FROM services WHERE id = ?", (service_id,)).fetchone()
    if found is None:
        return None
    names = connection.execute(
        "SELECT name FROM service_areas JOIN resources ON resources.key = resource"
        " WHERE service = ? AND removed_at IS NULL",
        (service_id,),
    )
    uid, executable, active = found
    return Service(service_id, uid, path_text(executable), frozenset(name for (name,) in names), bool(active))


def services(connection: sqlite3.Connection) -> tuple[Service, ...]:
    """Return every service, ordered by name."""
    names = [name for (name,) in connection.execute("SELECT id FROM services ORDER BY id")]
    return tuple(found for name in names if (found := service(connection, name)))


def service_uids(connection: sqlite3.Connection) -> frozenset[int]:
    """Return the uids services run as."""
    return frozenset(uid for (uid,) in connection.execute("SELECT uid FROM services"))
