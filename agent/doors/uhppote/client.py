"""Client of one UHPPOTE / 微耕 board: every request is repeated until that board has answered.

Rules of this file: a datagram can be lost, late or from another sender, so a request is sent up to :data:`TRIES` times,
:data:`PACE` seconds apart, and only an answer with the board's own serial number counts. An answer proves no more than
that: nothing on this wire is authenticated. Repeating a request must be harmless, and is for all of these. Values a
board cannot have become errors here.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from ipaddress import IPv4Address
from typing import Any

from uhppoted.uhppote_async import UhppoteAsync  # type: ignore[import-untyped]

from agent.doors.address import Uhppote
from rules.text import Message

TRIES = 4
PACE = 0.3  # seconds
CONTROLLED = 3  # the mode of a door that follows commands
_OVERWRITTEN = 0xFF
_DELETED = 0xFFFFFFFF
_ALWAYS_FROM = date(2000, 1, 1)
_PC_CONTROL = Message("doors.setting-pc-control")
_SPECIAL_EVENTS = Message("doors.setting-special-events")
_LISTENER = Message("doors.setting-listener")


class NoResponseError(Exception):
    """The board gave no valid answer."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


class EventOverwrittenError(Exception):
    """The board has overwritten the event."""


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a board: index of its newest event, its clock (no zone), which of doors 1 to 4 stand open.

    ``locks``: which of them have their lock released.
    """

    index: int
    clock: datetime | None
    leaves: tuple[bool, bool, bool, bool]
    locks: tuple[bool, bool, bool, bool]


@dataclass(frozen=True, slots=True)
class Happened:
    """One event as fetched from the board. ``clock``: its own, no zone; ``direction``: 1 in, 2 out."""

    index: int
    reason: int
    granted: bool
    door: int
    direction: int
    card: int
    clock: datetime | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A card as stored on a board. ``rights``: for doors 1 to 4; anything but four zeros opens without the agent."""

    card: int
    start: date | None
    end: date | None
    rights: tuple[int, int, int, int]


class BoardClient:
    """One board. *bind* is the local address requests leave from, *pace* see :data:`PACE`. For one event loop."""

    def __init__(self, place: Uhppote, bind: str = "0.0.0.0", pace: float = PACE) -> None:  # noqa: S104 - any of ours
        self.serial = place.serial
        self._pace = pace
        self._endpoint = (place.serial, f"{place.host}:{place.port}", "udp")
        self._api = _Api(bind=bind)

    async def status(self) -> Status:
        """Return the board's state. This and all below raise :class:`NoResponseError`."""
        reply = await self._ask(self._api.get_status)
        leaves = (reply.door_1_open, reply.door_2_open, reply.door_3_open, reply.door_4_open)
        clock = (
            datetime.combine(reply.system_date, reply.system_time) if reply.system_date and reply.system_time else None
        )
        locks = (bool(reply.relays & 1), bool(reply.relays & 2), bool(reply.relays & 4), bool(reply.relays & 8))
        return Status(reply.event_index, clock, leaves, locks)

    async def event(self, index: int) -> Happened | None:
        """Return the event of an index, ``None`` when there is none. Raises :class:`EventOverwrittenError` too."""
        reply = await self._ask(self._api.get_event, index)
        if reply.event_type == _OVERWRITTEN:
            raise EventOverwrittenError
        if reply.event_type == 0 or reply.index != index:
            return None
        return Happened(
            index, reply.reason, reply.access_granted, reply.door, reply.direction, reply.card, reply.timestamp
        )

    async def take_control(self) -> None:
        """Make the board leave every decision to the agent, for as long as it receives requests."""
        await self._agreed(_PC_CONTROL, self._api.set_pc_control, True)

    async def record_all(self) -> None:
        """Make the board record door and button events, not only cards."""
        await self._agreed(_SPECIAL_EVENTS, self._api.record_special_events, True)

    async def report_to(self, host: str, port: int) -> None:
        """Make the board notify that address of new events."""
        await self._agreed(_LISTENER, self._api.set_listener, IPv4Address(host), port)

    async def set_clock(self, clock: datetime) -> datetime | None:
        """Set the board's clock (no zone); return the time it then reports."""
        reported: datetime | None = (await self._ask(self._api.set_time, clock)).datetime
        return reported

    async def set_door(self, door: int, seconds: int) -> None:
        """Make a door follow commands and stay unlocked for *seconds* after one."""
        reply = await self._ask(self._api.set_door_control, door, CONTROLLED, seconds)
        if (reply.door, reply.mode, reply.delay) != (door, CONTROLLED, seconds):
            raise NoResponseError(Message("doors.door-settings-not-applied"))

    async def open(self, door: int, sent: Callable[[], None]) -> bool:
        """Unlock a door; return whether the board did. *sent* is called before every datagram of the request."""

        async def opening(endpoint: Any, **options: float) -> Any:
            sent()
            return await self._api.open_door(endpoint, door, **options)

        return bool((await self._ask(opening)).opened)

    async def card(self, card: int) -> Stored | None:
        """Return the stored card, ``None`` when the board does not have it."""
        reply = await self._ask(self._api.get_card, card)
        if reply.card_number not in (0, card):
            raise NoResponseError(Message("doors.reply-about-other-card"))
        return _stored(reply) if reply.card_number else None

    async def card_at(self, index: int) -> Stored | bool | None:
        """Return the card at a place of the card list, ``True`` for an empty place, ``None`` beyond the end."""
        reply = await self._ask(self._api.get_card_by_index, index)
        if reply.card_number == _DELETED:
            return True
        return _stored(reply) if reply.card_number else None

    async def put(self, card: int, until: date) -> None:
        """Store a card with no right at any door. Only :meth:`card` proves that it is stored."""
        await self._ask(self._api.put_card, card, _ALWAYS_FROM, until, 0, 0, 0, 0, 0)

    async def delete(self, card: int) -> None:
        """Delete a card. Only :meth:`card` proves that: a board answers a repeated deletion with "no"."""
        await self._ask(self._api.delete_card, card)

    async def _agreed(self, setting: Message, call: Callable[..., Awaitable[Any]], *args: Any) -> None:
        reply = await self._ask(call, *args)
        if not (reply.updated if hasattr(reply, "updated") else reply.ok):
            raise NoResponseError(Message("doors.setting-refused", setting=setting))

    async def _ask(self, call: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        loop = asyncio.get_running_loop()
        reason = Message("common.no-answer")
        for tries_left in range(TRIES - 1, -1, -1):
            began = loop.time()
            try:
                answer = await call(self._endpoint, *args, timeout=self._pace)
            except TimeoutError:
                pass
            except ConnectionError:
                reason = Message("doors.connection-refused")
            except (OSError, ValueError, RuntimeError):  # no route; not a packet of this kind; no free port
                reason = Message("doors.board-unreachable")
            else:
                if answer is not None and answer.controller == self.serial:
                    return answer
                serial = answer.controller if answer is not None else 0
                reason = Message("doors.reply-from-other-board", serial=serial)
            if tries_left:
                await asyncio.sleep(began + self._pace - loop.time())
        raise NoResponseError(reason)


def _stored(reply: Any) -> Stored:
    return Stored(
        reply.card_number, reply.start_date, reply.end_date, (reply.door_1, reply.door_2, reply.door_3, reply.door_4)
    )


class _Api(UhppoteAsync):  # type: ignore[misc] # the library has no types
    """The library's requests and answers over a connected socket.

    The library's own socket is not connected (0.9.1.1), so it accepts the first 64 bytes from any sender as the answer,
    and is not told when the peer's port is closed. A new socket for each request rejects late answers to earlier ones.
    """

    def __init__(self, bind: str) -> None:
        super().__init__(bind=bind)
        self._from = (bind, 0)

    async def _send(self, request: bytes, dest_addr: str, timeout: float, _protocol: str) -> bytes:  # noqa: ASYNC109
        host, _, port = dest_addr.rpartition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as asking:
            asking.bind(self._from)
            asking.connect((host, int(port)))
            asking.send(request)
            async with asyncio.timeout(timeout):
                while True:
                    answer = await asyncio.get_running_loop().sock_recv(asking, 65)
                    if len(answer) == 64 and answer[1] == request[1]:
                        return answer
