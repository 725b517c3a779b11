"""From rows of the registry to what the doors process is told: doors, their devices, the keys of their readers.

Rules of this file: pure. A key is given to the process that speaks to its reader and is written nowhere else; a reader
without a key is set up as well, so that its door is known, and stays offline until it is commissioned.
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
    seen: Mapping[str, int],
    offset: int,
) -> Configure:
    """Return the configuration. *keys* by address; *seen*, *listen* and *offset* as :class:`Configure` says."""
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
            address: tuple(key.hex() for key in found)
            for address, found in sorted(keys.items())
            if address in used and found
        },
        listen=listen if boards(rows) else "",
        seen={serial: index for serial, index in sorted(seen.items()) if serial in boards(rows)},
        offset=offset,
    )


def boards(doors: Iterable[DoorRow]) -> dict[str, list[str]]:
    """Return the serial number of every board, with its doors."""
    found: dict[str, list[str]] = {}
    for row in doors:
        serial = board(row)
        if serial:
            found.setdefault(serial, []).append(row.name)
    return found


def board(row: DoorRow) -> str:
    """Return the serial number of the board that drives a door, ``""`` when none does."""
    with suppress(ShoumiError):  # an address this program no longer reads is no board's
        where = parse(row.strike)
        if isinstance(where, Uhppote):
            return str(where.serial)
    return ""


def on_a_board(number: str) -> bool:
    """Whether a badge of this number can be known to a board, which has only numbers of 32 bits."""
    return number.isascii() and number.isdecimal() and number == str(int(number)) and 0 < int(number) <= _MOST_CARD
