"""Simulated UHPPOTE / 微耕 board on loopback UDP: the behaviour the agent relies on, and faults.

Rules of this file: it trusts every sender of a packet, as real boards do. The agent learns about it over the wire only;
the methods here are actions of a person at the door, changes of the hardware or faults of the cable. A board decides by
itself unless it is under PC control, which lasts only while it receives requests (:data:`PATIENCE`). Belongs to one
event loop.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Address

from agent.doors.messages import Side
from agent.simulator import uhppote_packet
from agent.simulator.uhppote_packet import BoardCard, BoardEvent, Fn

PATIENCE = 30.0  # seconds without a request after which a board decides by itself
_DELETED = 0xFFFFFFFF  # content of a place in the card list after its card was deleted
_NEWEST = 0xFFFFFFFF
_SWIPE, _DOOR, _ALARM = 1, 2, 3
_OPEN, _CLOSED, _CONTROLLED = 1, 2, 3


@dataclass(slots=True)
class Faults:
    """Faults of a board or its cable. Counts are of datagrams that reach the board."""

    dead: bool = False
    lose_requests: int = 0  # every so many-th request never arrives
    lose_answers: int = 0  # every so many-th request is carried out and its answer never arrives
    mute: frozenset[Fn] = frozenset()  # requests that are carried out and never answered
    lose_events: bool = False  # its notifications never arrive
    twice: bool = False  # every packet it sends arrives twice
    late: float = 0.0  # seconds before it answers
    poses_as: int = 0  # the serial number it answers with
    forgets: bool = False  # it reports a card as stored without storing it
    feigns: bool = False  # it reports a door as opened without opening it
    stuck_clock: bool = False  # it reports its clock as set without setting it
    cut: int = uhppote_packet.LENGTH  # bytes of each packet it sends that arrive


@dataclass(slots=True)
class Leaf:
    """One door: mode (1 open, 2 closed, 3 controlled), seconds a lock stays open, and its present state."""

    mode: int = _CONTROLLED
    delay: int = 3
    open: bool = False
    until: float = 0.0
    opened: int = 0


@dataclass(slots=True)
class Memory:
    """The data a board keeps without power."""

    cards: list[BoardCard | None] = field(default_factory=list)  # None: a card was here
    events: list[BoardEvent] = field(default_factory=list)
    last: int = 0  # index of the newest event
    listener: tuple[str, int] | None = None
    special: bool = False
    drift: float = 0.0  # seconds its clock is ahead of UTC


class Board:
    """One board with four doors. ``heard`` lists the functions of the requests it carried out, newest last."""

    def __init__(
        self,
        serial: int,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        capacity: int = 1000,
        now: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.serial, self.host, self.port = serial, host, port
        self.faults = Faults()
        self.doors = {number: Leaf() for number in (1, 2, 3, 4)}
        self.memory = Memory()
        self.heard: list[Fn] = []
        self._capacity = capacity
        self._now, self._ticks = now, ticks
        self._pc_control = False
        self._spoken_to = 0.0
        self._received = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def line(self) -> str:
        """Its address without a door."""
        return f"uhppote://{self.host}:{self.port}/{self.serial}"

    @property
    def under_control(self) -> bool:
        """Whether it leaves the decision to the host it receives requests from."""
        return self._pc_control and self._ticks() - self._spoken_to < PATIENCE

    def card(self, number: int) -> BoardCard | None:
        """Return the stored card of a number."""
        return next((card for card in self.memory.cards if card and card.number == number), None)

    def unlocked(self, door: int) -> bool:
        """Return whether the lock of *door* is open now."""
        leaf = self.doors[door]
        return leaf.mode == _OPEN or self._ticks() < leaf.until

    async def start(self) -> None:
        """Listen. Raises ``OSError`` when the port is in use."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Socket(self), local_addr=(self.host, self.port)
        )
        self.port = self._transport.get_extra_info("sockname")[1]

    async def stop(self) -> None:
        """Stop for good."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._transport:
            self._transport.close()
            self._transport = None
        await asyncio.sleep(0)  # the transport closes its socket in the next turn of the loop

    async def until(self, true: Callable[["Board"], object], seconds: float = 20.0) -> None:
        """Return when *true* holds for this board. Raises ``TimeoutError``."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: true(self)), seconds)

    # --- actions at the door -----------------------------------------------------------------------------------------

    def swipe(self, door: int, card: int, side: Side = "in") -> BoardEvent:
        """Show a card."""
        granted, reason = self._own_decision(door, card)
        if granted:
            self._unlock(door)
        return self._happens(_SWIPE, door, reason, granted=granted, card=card, direction=1 if side == "in" else 2)

    def move(self, door: int, *, is_open: bool) -> None:
        """Open or close the door leaf; an event only when special ones are recorded."""
        self.doors[door].open = is_open
        if self.memory.special:
            self._happens(_DOOR, door, 23 if is_open else 24)

    def button(self, door: int) -> None:
        """Press the exit button, which unlocks by itself; an event only when special ones are recorded."""
        self._unlock(door)
        if self.memory.special:
            self._happens(_DOOR, door, 20, granted=True)

    def alarm(self, door: int, reason: int) -> BoardEvent:
        """Raise one of a board's alarms: 34 threat, 37 open too long, 38 forced, 39 fire."""
        return self._happens(_ALARM, door, reason)

    def reboot(self) -> BoardEvent:
        """Lose power and restart; PC control is lost."""
        self._pc_control = False
        return self._happens(_ALARM, 0, 28)

    def reset(self) -> None:
        """Delete all events, as with a replaced board: indexes restart."""
        self.memory.events.clear()
        self.memory.last = 0

    # --- its own decision --------------------------------------------------------------------------------------------

    def _own_decision(self, door: int, number: int) -> tuple[bool, int]:
        card = self.card(number)
        today = self._clock().date()
        if card is None:
            return False, 18
        if self.under_control:
            return False, 5
        if not card.start <= today <= card.end:
            return False, 15
        if self.doors[door].mode == _CLOSED:
            return False, 11
        return (True, 1) if card.doors[door - 1] else (False, 6)

    def _unlock(self, door: int) -> None:
        leaf = self.doors[door]
        leaf.until = self._ticks() + leaf.delay
        leaf.opened += 1

    def _happens(
        self, kind: int, door: int, reason: int, *, granted: bool = False, card: int = 0, direction: int = 0
    ) -> BoardEvent:
        self.memory.last = self.memory.last % _NEWEST + 1  # 32 bits, and 0 is no event
        event = BoardEvent(self.memory.last, kind, granted, door, direction, card, self._clock(), reason)
        self.memory.events = [*self.memory.events[-self._capacity + 1 :], event]
        if self.memory.listener and not self.faults.lose_events:
            self._send(self._status(), self.memory.listener)
        self._noticed()
        return event

    def _noticed(self) -> None:
        async def tell() -> None:
            async with self._changed:
                self._changed.notify_all()

        self._in_background(tell())

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _clock(self) -> datetime:
        return datetime.fromtimestamp(self._now() + self.memory.drift, UTC).replace(tzinfo=None)

    # --- the wire ----------------------------------------------------------------------------------------------------

    def received(self, frame: bytes, sender: tuple[str, int]) -> None:
        """Carry out a request, and answer it, as far as the faults allow."""
        parsed = uhppote_packet.request(frame)
        if parsed is None or parsed[1] != self.serial or self.faults.dead:
            return
        self._received += 1
        if _nth(self._received, self.faults.lose_requests):
            return
        self._spoken_to = self._ticks()
        reply = self._carry_out(parsed[0], frame)
        self.heard.append(parsed[0])
        self._noticed()
        if parsed[0] not in self.faults.mute and not _nth(self._received, self.faults.lose_answers):
            self._send(reply, sender)

    def _send(self, packet: bytearray, to: tuple[str, int]) -> None:
        if self.faults.poses_as:
            packet[4:8] = uhppote_packet.uint32(self.faults.poses_as)
        if self.faults.late:
            self._in_background(self._send_late(packet, to))
        else:
            self._send_now(packet, to)

    async def _send_late(self, packet: bytearray, to: tuple[str, int]) -> None:
        await asyncio.sleep(self.faults.late)
        self._send_now(packet, to)

    def _send_now(self, packet: bytearray, to: tuple[str, int]) -> None:
        for _ in range(2 if self.faults.twice else 1):
            if self._transport and not self.faults.dead:
                self._transport.sendto(packet[: self.faults.cut], to)

    def _status(self) -> bytearray:
        newest = self.memory.events[-1] if self.memory.events else BoardEvent(0)
        leaves = bytes(leaf.open for leaf in self.doors.values())
        relays = bytes([sum(1 << (door - 1) for door in self.doors if self.unlocked(door))])
        fields = (
            *uhppote_packet.event_fields(newest),
            (28, leaves),
            (49, relays),
            *uhppote_packet.clock_fields(self._clock()),
        )
        return uhppote_packet.answer(Fn.STATUS, self.serial, *fields)

    def _carry_out(self, fn: Fn, frame: bytes) -> bytearray:
        fields: tuple[tuple[int, bytes], ...]
        match fn:
            case Fn.STATUS:
                return self._status()
            case Fn.SET_TIME | Fn.GET_TIME:
                if (
                    fn is Fn.SET_TIME
                    and not self.faults.stuck_clock
                    and (instant := uhppote_packet.read_moment(frame, 8))
                ):
                    self.memory.drift = instant.replace(tzinfo=UTC).timestamp() - self._now()
                fields = ((8, uhppote_packet.moment(self._clock())),)
            case Fn.OPEN_DOOR | Fn.SET_DOOR | Fn.GET_DOOR:
                fields = self._door(fn, frame)
            case Fn.PC_CONTROL | Fn.SPECIAL_EVENTS | Fn.SET_LISTENER | Fn.GET_LISTENER:
                fields = self._setting(fn, frame)
            case Fn.GET_EVENT:
                fields = uhppote_packet.event_fields(self._event(uhppote_packet.number(frame, 8)))
            case _:
                fields = self._card(fn, frame)
        return uhppote_packet.answer(fn, self.serial, *fields)

    def _door(self, fn: Fn, frame: bytes) -> tuple[tuple[int, bytes], ...]:
        leaf = self.doors.get(frame[8])
        if leaf is None:
            return ()
        if fn is Fn.OPEN_DOOR:
            if leaf.mode == _CLOSED:
                return ()
            if self.faults.feigns:
                return ((8, b"\1"),)
            self._unlock(frame[8])
            self._happens(_DOOR, frame[8], 44, granted=True, card=0x0100007F)  # real ones put anything there
            return ((8, b"\1"),)
        if fn is Fn.SET_DOOR and frame[9] in (_OPEN, _CLOSED, _CONTROLLED):
            leaf.mode, leaf.delay = frame[9], frame[10]
        return ((8, bytes([frame[8], leaf.mode, leaf.delay])),)

    def _setting(self, fn: Fn, frame: bytes) -> tuple[tuple[int, bytes], ...]:
        match fn:
            case Fn.PC_CONTROL if uhppote_packet.number(frame, 8) == uhppote_packet.MAGIC:
                self._pc_control = bool(frame[12])
            case Fn.SPECIAL_EVENTS:
                self.memory.special = bool(frame[8])
            case Fn.SET_LISTENER:
                address, port = str(IPv4Address(frame[8:12])), int.from_bytes(frame[12:14], "little")
                self.memory.listener = (address, port) if port else None
            case Fn.GET_LISTENER:
                host, port = self.memory.listener or ("0.0.0.0", 0)  # noqa: S104 - how a board says "nobody"
                return ((8, IPv4Address(host).packed + port.to_bytes(2, "little")),)
            case _:
                return ()
        return ((8, b"\1"),)

    def _event(self, index: int) -> BoardEvent:
        stored = self.memory.events
        missing = BoardEvent(index, 0xFF) if stored and 0 < index < stored[0].index else BoardEvent(0)
        return next((event for event in stored if event.index == index), missing)

    def _card(self, fn: Fn, frame: bytes) -> tuple[tuple[int, bytes], ...]:
        cards, argument = self.memory.cards, uhppote_packet.number(frame, 8)
        match fn:
            case Fn.PUT_CARD:
                card = uhppote_packet.read_card(frame)
                if card and not self.faults.forgets:
                    self._store(card)
                return ((8, b"\1" if card else b"\0"),)
            case Fn.DELETE_CARD:
                stored = self.card(argument)
                if stored:
                    cards[cards.index(stored)] = None
                return ((8, b"\1" if stored else b"\0"),)
            case Fn.DELETE_ALL if argument == uhppote_packet.MAGIC:
                cards.clear()
                return ((8, b"\1"),)
            case Fn.COUNT_CARDS:
                return ((8, uhppote_packet.uint32(sum(card is not None for card in cards))),)
            case Fn.GET_CARD:
                return uhppote_packet.card_fields(self.card(argument))
            case Fn.GET_CARD_AT if 0 < argument <= len(cards):
                entry = cards[argument - 1]
                return uhppote_packet.card_fields(entry) if entry else ((8, uhppote_packet.uint32(_DELETED)),)
        return ()

    def _store(self, card: BoardCard) -> None:
        cards = self.memory.cards
        stored = self.card(card.number)
        if stored:
            cards[cards.index(stored)] = card
        elif None in cards:
            cards[cards.index(None)] = card
        else:
            cards.append(card)


def _nth(count: int, every: int) -> bool:
    return every > 0 and count % every == 0


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, board: Board) -> None:
        self._board = board

    def datagram_received(self, frame: bytes, addr: tuple[str, int]) -> None:
        with suppress(OSError):
            self._board.received(frame, addr)
