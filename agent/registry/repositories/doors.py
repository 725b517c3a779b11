"""Writing doors: which room each leads into, its readers, and the device that releases it.

Rules of this file: a reader is on one side of one door, and a lock belongs to one door, so that a badge read and a
release can mean only one thing. A door of a board has one address for both sides. Addresses are kept as they are
written; what they mean is known to :mod:`agent.doors.address`. Keys are not here: only the fingerprint of each.
"""

from collections.abc import Iterable

from agent.errors import RefusedError
from agent.registry.repositories.references import require_room
from agent.registry.repositories.transaction import Transaction
from agent.registry.rows.doors import Protocol, Side
from agent.registry.terms import DOOR, READER
from agent.registry.validation import identifier, taken, unknown
from rules.text import Text
from rules.visible import visible

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
        """Register a door of *room*; it needs a reader on the way in."""
        identifier(door, DOOR)
        if self._transaction.row("SELECT 1 FROM doors WHERE name = ?", door):
            raise taken(DOOR, door, "", Text("change it with `shoumi door set`", "请用 `shoumi door set` 修改"))
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
        """Change what is given; *readers* replaces all of them. A reader that stays keeps its key."""
        known = self._require_door(door)
        protocol = protocol or known[0]
        self._strike_is_free(door, strike or known[1], known[2] if output is None else output)
        _check_seconds(known[3] if strike_seconds is None else strike_seconds)
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
        """Forget the door and its readers."""
        self._require_door(door)
        self._transaction.execute("DELETE FROM readers WHERE door = ?", door)
        self._transaction.execute("DELETE FROM doors WHERE name = ?", door)

    def require_none(self, key: int) -> None:
        """Refuse a room of this key that has a door."""
        if door := self._transaction.row("SELECT name FROM doors WHERE room = ? ORDER BY name", key):
            raise RefusedError(
                Text(f"`{door[0]}` is a door of it", f"`{door[0]}` 是其门"),
                Text("remove its doors first: `shoumi door remove`", "请先移除其门：`shoumi door remove`"),
            )

    def _require_door(self, door: str) -> tuple[Protocol, str, int, int]:
        found = self._transaction.row("SELECT protocol, strike, output, strike_seconds FROM doors WHERE name = ?", door)
        if found is None:
            raise unknown(DOOR, door, "shoumi door list")
        protocol, strike, output, seconds = found
        return protocol, str(strike), int(output), int(seconds)

    def _strike_is_free(self, door: str, strike: str, output: int) -> None:
        if not 0 <= output <= 255:
            raise RefusedError(
                Text(f"`{output}` is not the number of an output", f"`{output}` 不是输出编号"),
                Text("use 0 to 255", "请使用 0 至 255"),
            )
        other = self._transaction.row(
            "SELECT name FROM doors WHERE strike = ? AND output = ? AND name <> ?", strike, output, door
        )
        if other:
            raise taken(
                Text("the lock", "该锁"),
                f"{strike} {output}",
                other[0],
                Text("one lock is one door", "一把锁只属于一扇门"),
            )

    def _readers(self, door: str, readers: Readers, protocol: Protocol) -> None:
        wanted = list(dict.fromkeys(readers))
        if not any(side == "in" for _, side in wanted):
            raise RefusedError(
                Text(f"`{visible(door)}` has no reader on the way in", f"`{visible(door)}` 没有进门读卡器"),
                Text("name one with --reader", "请用 --reader 指定"),
            )
        kept = {
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
                *kept.get((address, side), ("", None)),
            )

    def _reader_is_free(self, door: str, address: str, side: Side, protocol: Protocol) -> None:
        for other, at in self._transaction.execute(
            "SELECT door, side FROM readers WHERE address = ?", address
        ).fetchall():
            if other != door or at == side or protocol == "osdp":
                raise taken(
                    READER,
                    address,
                    other,
                    Text("a reader is on one side of one door", "一个读卡器只在一扇门的一侧"),
                )


def _check_seconds(seconds: int) -> None:
    if not 1 <= seconds <= _LONGEST:
        raise RefusedError(
            Text(f"a lock cannot be released for {seconds} s", f"不能放行 {seconds} 秒"),
            Text(f"use 1 to {_LONGEST}", f"请使用 1 至 {_LONGEST}"),
        )
