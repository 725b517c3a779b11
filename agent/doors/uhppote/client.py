"""Asking one UHPPOTE / 微耕 board: every question is repeated until that board has answered.

Rules of this file: a datagram can be lost, come late or come from somebody else, so a question is asked up to
:data:`TRIES` times, :data:`PACE` seconds apart, and only an answer that carries the board's own serial number counts.
That is all an answer proves: nothing on this wire is authenticated. Asking twice must be harmless, and is for all of
these. Other values than those a board can have become errors here and go no further.
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
from rules.text import Text

TRIES = 4
PACE = 0.3  # seconds
CONTROLLED = 3  # the mode of a door that follows commands
_OVERWRITTEN = 0xFF
_DELETED = 0xFFFFFFFF
_ALWAYS_FROM = date(2000, 1, 1)


class NoResponseError(Exception):
    """The board gave no answer that counts."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


class EventOverwrittenError(Exception):
    """The board does not have the event any more."""


@dataclass(frozen=True, slots=True)
class Status:
    """A board as it is: index of its newest event, its clock (no zone), which of doors 1 to 4 stand open.

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
    """A card as a board has it. ``rights``: for doors 1 to 4; anything but four zeros opens without the agent."""

    card: int
    start: date | None
    end: date | None
    rights: tuple[int, int, int, int]


class BoardClient:
    """One board. *bind* is the local address requests leave from, *pace* see :data:`PACE`. For one event loop."""

    def __init__(self, place: Uhppote, bind: str = "0.0.0.0", pace: float = PACE) -> None:  # noqa: S104 - any of ours
        self.serial = place.serial
        self._pace = pace
        self._where = (place.serial, f"{place.host}:{place.port}", "udp")
        self._api = _Api(bind=bind)

    async def status(self) -> Status:
        """Return the board's state. This and all below raise :class:`NoResponseError`."""
        said = await self._ask(self._api.get_status)
        leaves = (said.door_1_open, said.door_2_open, said.door_3_open, said.door_4_open)
        clock = datetime.combine(said.system_date, said.system_time) if said.system_date and said.system_time else None
        locks = (bool(said.relays & 1), bool(said.relays & 2), bool(said.relays & 4), bool(said.relays & 8))
        return Status(said.event_index, clock, leaves, locks)

    async def event(self, index: int) -> Happened | None:
        """Return an event, ``None`` when there is none of that index. Raises :class:`EventOverwrittenError` also."""
        said = await self._ask(self._api.get_event, index)
        if said.event_type == _OVERWRITTEN:
            raise EventOverwrittenError
        if said.event_type == 0 or said.index != index:
            return None
        return Happened(index, said.reason, said.access_granted, said.door, said.direction, said.card, said.timestamp)

    async def take_control(self) -> None:
        """Make the board leave every decision to us, for as long as it hears from us."""
        await self._agreed("pc control", self._api.set_pc_control, True)

    async def record_all(self) -> None:
        """Make the board record doors and buttons, not only cards."""
        await self._agreed("special events", self._api.record_special_events, True)

    async def report_to(self, host: str, port: int) -> None:
        """Make the board tell that address of new events."""
        await self._agreed("listener", self._api.set_listener, IPv4Address(host), port)

    async def set_clock(self, clock: datetime) -> datetime | None:
        """Set the board's clock (no zone), and return what it says it is then."""
        told: datetime | None = (await self._ask(self._api.set_time, clock)).datetime
        return told

    async def set_door(self, door: int, seconds: int) -> None:
        """Make a door follow commands, and stay unlocked for so long after one."""
        said = await self._ask(self._api.set_door_control, door, CONTROLLED, seconds)
        if (said.door, said.mode, said.delay) != (door, CONTROLLED, seconds):
            raise NoResponseError(Text("did not take the door's settings", "未接受门的设置"))

    async def open(self, door: int, sent: Callable[[], None]) -> bool:
        """Unlock a door, and return whether the board did; *sent* is called before every datagram that asks for it."""

        async def opening(where: Any, **how: float) -> Any:
            sent()
            return await self._api.open_door(where, door, **how)

        return bool((await self._ask(opening)).opened)

    async def card(self, card: int) -> Stored | None:
        """Return a card as stored, ``None`` when it is not."""
        said = await self._ask(self._api.get_card, card)
        if said.card_number not in (0, card):
            raise NoResponseError(Text("answered about another card", "应答了另一张卡"))
        return _stored(said) if said.card_number else None

    async def card_at(self, index: int) -> Stored | bool | None:
        """Return the card at a place of the board's list, ``True`` for an empty place, ``None`` after the end."""
        said = await self._ask(self._api.get_card_by_index, index)
        if said.card_number == _DELETED:
            return True
        return _stored(said) if said.card_number else None

    async def put(self, card: int, until: date) -> None:
        """Store a card with no right at any door. Only :meth:`card` proves that it was."""
        await self._ask(self._api.put_card, card, _ALWAYS_FROM, until, 0, 0, 0, 0, 0)

    async def delete(self, card: int) -> None:
        """Take a card out. Only :meth:`card` proves that it is gone: asked twice, a board says no the second time."""
        await self._ask(self._api.delete_card, card)

    async def _agreed(self, what: str, call: Callable[..., Awaitable[Any]], *args: Any) -> None:
        said = await self._ask(call, *args)
        if not (said.updated if hasattr(said, "updated") else said.ok):
            raise NoResponseError(Text(f"did not accept: {what}", f"未接受：{what}"))

    async def _ask(self, call: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        loop = asyncio.get_running_loop()
        why = Text("no answer", "无应答")
        for left in range(TRIES - 1, -1, -1):
            began = loop.time()
            try:
                answer = await call(self._where, *args, timeout=self._pace)
            except TimeoutError:
                pass
            except ConnectionError:
                why = Text("nothing listens at its address", "该地址无设备监听")
            except (OSError, ValueError, RuntimeError):  # no route; not a packet of this kind; no free port
                why = Text("not reachable, or its answers are garbled", "不可达，或应答无法识别")
            else:
                if answer is not None and answer.controller == self.serial:
                    return answer
                other = answer.controller if answer is not None else 0
                why = Text(f"board {other} answers in its place", f"由控制器 {other} 代答")
            if left:
                await asyncio.sleep(began + self._pace - loop.time())
        raise NoResponseError(why)


def _stored(said: Any) -> Stored:
    return Stored(
        said.card_number, said.start_date, said.end_date, (said.door_1, said.door_2, said.door_3, said.door_4)
    )


class _Api(UhppoteAsync):  # type: ignore[misc] # the library has no types
    """The library's requests and answers over a socket of ours.

    Its own socket is not connected (0.9.1.1), so it takes the first 64 bytes anybody sends it for the answer, and never
    hears that nobody listens at the other end. A new one for each question keeps late answers to earlier ones out.
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
