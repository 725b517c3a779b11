"""Rows of doors and their readers.

Rules of this file: standard library only; the caller holds the read transaction. A door is removed before its room is.
"""

import sqlite3
from typing import Literal, NamedTuple

Protocol = Literal["osdp", "uhppote"]
Side = Literal["in", "out"]


class ReaderRow(NamedTuple):
    """One reader of a door. ``key``: the fingerprint of its Secure Channel key, ``""`` if it has none."""

    address: str
    side: Side
    key: str


class DoorRow(NamedTuple):
    """One door. ``strike``: the address of the device whose ``output`` releases it; ``contact``: it has a contact."""

    name: str
    room: str
    protocol: Protocol
    readers: tuple[ReaderRow, ...]
    strike: str
    output: int
    strike_seconds: int
    contact: bool


def doors(connection: sqlite3.Connection) -> tuple[DoorRow, ...]:
    """Return every door with its readers, ordered by name."""
    readers: dict[str, list[ReaderRow]] = {}
    for door, address, side, key in connection.execute("SELECT door, address, side, key FROM readers ORDER BY side"):
        readers.setdefault(door, []).append(ReaderRow(address, side, key))
    rows = connection.execute(
        "SELECT doors.name, resources.name, protocol, strike, output, strike_seconds, contact"
        " FROM doors JOIN resources ON key = room ORDER BY doors.name"
    )
    return tuple(
        DoorRow(name, place, protocol, tuple(readers.get(name, ())), strike, output, seconds, bool(contact))
        for name, place, protocol, strike, output, seconds, contact in rows
    )
