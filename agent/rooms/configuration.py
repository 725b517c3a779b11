"""Configuration of the doors process from rows of the registry: doors, their devices, the keys of their readers.

Rules of this file: pure. A key goes to the process that communicates with its reader and is written nowhere else; a
reader without a key is configured as well, so that its door is known, and stays offline until it is commissioned.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from agent.doors.address import Uhppote, parse
from agent.doors.frames import Configure, DoorSetup, ReaderSetup, StrikeSetup
from agent.errors import ShoumiError
from agent.registry.rows.doors import DoorRow

_MOST_CARD = 2**32 - 2


def configuration(
    doors: Iterable[DoorRow],
    keys: Mapping[str, tuple[bytes, ...]],
    *,
    listen: str,
    last_events: Mapping[str, int],
    offset: int,
) -> Configure:
    """Return the configuration. *keys* by address; *last_events* (``seen``) and the others as in :class:`Configure`."""
    rows = sorted(doors, key=lambda row: row.name)
    used = {reader.address for row in rows for reader in row.readers} | {row.strike for row in rows}
    return Configure(
        doors=tuple(
            DoorSetup(
                row.name,
                tuple(ReaderSetup(reader.side, reader.address) for reader in row.readers),
                StrikeSetup(row.strike, row.output),
                float(row.strike_seconds),
            )
            for row in rows
            if row.readers
        ),
        keys={
            address: tuple(key.hex() for key in candidates)
            for address, candidates in sorted(keys.items())
            if address in used and candidates
        },
        listen=listen if boards(rows) else "",
        seen={serial: index for serial, index in sorted(last_events.items()) if serial in boards(rows)},
        offset=offset,
    )


def boards(doors: Iterable[DoorRow]) -> dict[str, list[str]]:
    """Return the serial number of every board, with its doors."""
    doors_by_serial: dict[str, list[str]] = {}
    for row in doors:
        serial = board(row)
        if serial:
            doors_by_serial.setdefault(serial, []).append(row.name)
    return doors_by_serial


def board(row: DoorRow) -> str:
    """Return the serial number of the board that drives a door, ``""`` when none does."""
    with suppress(ShoumiError):  # an address this version cannot parse belongs to no board
        address = parse(row.strike)
        if isinstance(address, Uhppote):
            return str(address.serial)
    return ""


def on_a_board(number: str) -> bool:
    """Return whether a board can store a badge of this number: boards have only 32-bit numbers."""
    return number.isascii() and number.isdecimal() and number == str(int(number)) and 0 < int(number) <= _MOST_CARD
