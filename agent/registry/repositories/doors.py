"""Writing doors: the room behind each, its readers, and the device that releases it.

Rules of this file: a reader is on one side of one door, and a lock belongs to one door, so that a badge read and a
release are unambiguous. A door of a board has one address for both sides. Addresses are stored as written;
:mod:`agent.doors.address` interprets them. Keys are not stored here: only their fingerprints.
"""

from collections.abc import Iterable

from agent.errors import RefusedError
from agent.registry.repositories.references import require_room
from agent.registry.repositories.transaction import Transaction
from agent.registry.rows.doors import Protocol, Side
from agent.registry.terms import DOOR, READER
from agent.registry.validation import identifier, taken, unknown
from rules.text import Message

_LONGEST = 25  # seconds: OSDP counts 8 bits of 0.1 s (IEC 60839-11-5, osdp_OUT)

Readers = Iterable[tuple[str, Side]]  # address, side


class DoorRepository:
    """Doors and their readers. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(
        self,
        door: str,
        room: str,
        *,
        protocol: Protocol,
        readers: Readers,
        strike: str,
        output: int = 0,
        strike_seconds: int = 5,
        contact: bool = False,
    ) -> None:
        """Register a door of *room*; it requires an entry reader."""
        identifier(door, DOOR)
        if self._transaction.row("SELECT 1 FROM doors WHERE name = ?", door):
            raise taken(DOOR, door, "", Message("registry.change-with-door-set"))
        key = require_room(self._transaction, room)
        self._strike_is_free(door, strike, output)
        _check_seconds(strike_seconds)
        self._transaction.insert(
            "doors",
            name=door,
            room=key,
            protocol=protocol,
            strike=identifier(strike, READER),
            output=output,
            strike_seconds=strike_seconds,
            contact=contact,
            added_at=self._transaction.stamp,
        )
        self._readers(door, readers, protocol)

    def set(
        self,
        door: str,
        *,
        protocol: Protocol | None = None,
        readers: Readers | None = None,
        strike: str | None = None,
        output: int | None = None,
        strike_seconds: int | None = None,
        contact: bool | None = None,
    ) -> None:
        """Change the given fields; *readers* replaces all readers. A reader that stays keeps its key."""
        stored = self._require_door(door)
        protocol = protocol or stored[0]
        self._strike_is_free(door, strike or stored[1], stored[2] if output is None else output)
        _check_seconds(stored[3] if strike_seconds is None else strike_seconds)
        self._transaction.update(
            "doors",
            "name",
            door,
            protocol=protocol,
            strike=strike,
            output=output,
            strike_seconds=strike_seconds,
            contact=contact,
        )
        if readers is not None:
            self._readers(door, readers, protocol)

    def remove(self, door: str) -> None:
        """Delete the door and its readers."""
        self._require_door(door)
        self._transaction.execute("DELETE FROM readers WHERE door = ?", door)
        self._transaction.execute("DELETE FROM doors WHERE name = ?", door)

    def require_none(self, key: int) -> None:
        """Refuse if the room of this key has a door."""
        if door := self._transaction.row("SELECT name FROM doors WHERE room = ? ORDER BY name", key):
            raise RefusedError(
                Message("registry.room-has-door", door=door[0]),
                Message("registry.remove-doors-first"),
            )

    def _require_door(self, door: str) -> tuple[Protocol, str, int, int]:
        fields = self._transaction.row(
            "SELECT protocol, strike, output, strike_seconds FROM doors WHERE name = ?", door
        )
        if fields is None:
            raise unknown(DOOR, door, "shoumi door list")
        protocol, strike, output, seconds = fields
        return protocol, str(strike), int(output), int(seconds)

    def _strike_is_free(self, door: str, strike: str, output: int) -> None:
        if not 0 <= output <= 255:
            raise RefusedError(
                Message("registry.invalid-output", output=output),
                Message("registry.output-range"),
            )
        other_door = self._transaction.row(
            "SELECT name FROM doors WHERE strike = ? AND output = ? AND name <> ?", strike, output, door
        )
        if other_door:
            raise taken(
                Message("registry.lock"),
                f"{strike} {output}",
                other_door[0],
                Message("registry.one-door-per-lock"),
            )

    def _readers(self, door: str, readers: Readers, protocol: Protocol) -> None:
        wanted = list(dict.fromkeys(readers))
        if not any(side == "in" for _, side in wanted):
            raise RefusedError(
                Message("registry.no-entry-reader", door=door),
                Message("registry.name-entry-reader"),
            )
        keys = {
            (address, side): (key, keyed_at)
            for address, side, key, keyed_at in self._transaction.execute(
                "SELECT address, side, key, keyed_at FROM readers WHERE door = ?", door
            )
        }
        self._transaction.execute("DELETE FROM readers WHERE door = ?", door)
        for address, side in wanted:
            self._reader_is_free(door, address, side, protocol)
            self._transaction.execute(
                "INSERT INTO readers VALUES (?, ?, ?, ?, ?)",
                identifier(address, READER),
                side,
                door,
                *keys.get((address, side), ("", None)),
            )

    def _reader_is_free(self, door: str, address: str, side: Side, protocol: Protocol) -> None:
        for other_door, at in self._transaction.execute(
            "SELECT door, side FROM readers WHERE address = ?", address
        ).fetchall():
            if other_door != door or at == side or protocol == "osdp":
                raise taken(
                    READER,
                    address,
                    other_door,
                    Message("registry.one-side-per-reader"),
                )


def _check_seconds(seconds: int) -> None:
    if not 1 <= seconds <= _LONGEST:
        raise RefusedError(
            Message("registry.lock-release-out-of-range", seconds=seconds),
            Message("registry.release-time-range", longest=_LONGEST),
        )
