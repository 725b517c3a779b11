"""Rows of services: programs with a uid of their own.

Rules of this file: standard library only; the caller holds the read transaction. An inactive service is included, with
its state.
"""

import sqlite3
from typing import NamedTuple

from agent.registry.columns import path_text
from rules.model import Service


class ServiceProgram(NamedTuple):
    """The program of a service as registered: its path and file identity.

    ``inode``, ``changed`` and ``size`` are as in :class:`agent.kernel.program.Program`, all ``None`` when the file was
    not checked. ``sha256`` is hexadecimal, empty where no hash is required. A program with ``lets_in`` runs as root and
    changes to the uids of people.
    """

    service: str
    uid: int
    path: bytes
    inode: int | None
    changed: int | None
    size: int | None
    sha256: str
    lets_in: bool


def programs(connection: sqlite3.Connection) -> tuple[ServiceProgram, ...]:
    """Return the programs of all active services, and those that let people in."""
    rows = connection.execute(
        "SELECT id, uid, executable, inode, changed, size, sha256, lets_in FROM services WHERE active ORDER BY id"
    )
    return tuple(ServiceProgram._make((*row[:-1], bool(row[-1]))) for row in rows)


def service(connection: sqlite3.Connection, service_id: str) -> Service | None:
    """Return the service of this name, or ``None`` when unknown."""
    row = connection.execute("SELECT uid, executable, active FROM services WHERE id = ?", (service_id,)).fetchone()
    if row is None:
        return None
    names = connection.execute(
        "SELECT name FROM service_areas JOIN resources ON resources.key = resource"
        " WHERE service = ? AND removed_at IS NULL",
        (service_id,),
    )
    uid, executable, active = row
    return Service(service_id, uid, path_text(executable), frozenset(name for (name,) in names), bool(active))


def services(connection: sqlite3.Connection) -> tuple[Service, ...]:
    """Return every service, ordered by name."""
    names = [name for (name,) in connection.execute("SELECT id FROM services ORDER BY id")]
    return tuple(service_found for name in names if (service_found := service(connection, name)))


def service_uids(connection: sqlite3.Connection) -> frozenset[int]:
    """Return the uids that services run as."""
    return frozenset(uid for (uid,) in connection.execute("SELECT uid FROM services WHERE NOT lets_in"))
