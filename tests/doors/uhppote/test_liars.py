"""A board, or whoever sits in its place, that answers whatever it likes: it costs its own door, and nobody else's."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import cast

import pytest

from agent.doors.address import Uhppote
from agent.doors.frames import Heard, Trouble
from agent.doors.messages import Online, Read
from agent.doors.uhppote import reasons
from agent.doors.uhppote.boards import BoardDriver, BoardPlan
from agent.doors.uhppote.events import DoorBinding
from agent.simulator import uhppote_packet
from agent.simulator.uhppote_packet import BoardEvent, Fn
from tests.doors.uhppote.kit import CARD, SERIAL, Ears, run
from tests.sentences import en

DOOR = "door"
_AGREES = {Fn.SPECIAL_EVENTS, Fn.SET_LISTENER, Fn.PC_CONTROL, Fn.OPEN_DOOR, Fn.PUT_CARD, Fn.DELETE_CARD}


class Liar(asyncio.DatagramProtocol):
    """Answers like a board, but for its newest index and its events, which are what the test says."""

    def __init__(self, newest: int, event: Callable[[int], BoardEvent]) -> None:
        self.newest, self.event = newest, event
        self.asked: list[int] = []
        self._out: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._out = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        known = uhppote_packet.request(data)
        if known and self._out:
            self._out.sendto(bytes(self._answer(known[0], data)), addr)

    def _answer(self, fn: Fn, data: bytes) -> bytearray:
        now = datetime.now(UTC)
        match fn:
            case Fn.STATUS:
                last = uhppote_packet.event_fields(BoardEvent(self.newest))
                return uhppote_packet.answer(fn, SERIAL, *last, *uhppote_packet.clock_fields(now))
            case Fn.SET_TIME:
                return uhppote_packet.answer(fn, SERIAL, (8, uhppote_packet.moment(now)))
            case Fn.SET_DOOR:
                return uhppote_packet.answer(fn, SERIAL, (8, data[8:11]))
            case Fn.GET_EVENT:
                self.asked.append(uhppote_packet.number(data, 8))
                return uhppote_packet.answer(fn, SERIAL, *uhppote_packet.event_fields(self.event(self.asked[-1])))
        return uhppote_packet.answer(fn, SERIAL, *(((8, b"\1"),) if fn in _AGREES else ()))


@asynccontextmanager
async def lied_to(
    newest: int, event: Callable[[int], BoardEvent], seen: int | None
) -> AsyncIterator[tuple[Liar, Ears]]:
    """Serve a liar whose events were told up to *seen*."""
    loop, liar, ears = asyncio.get_running_loop(), Liar(newest, event), Ears()
    transport, _ = await loop.create_datagram_endpoint(lambda: liar, local_addr=("127.0.0.1", 0))
    host, port = transport.get_extra_info("sockname")[:2]
    serving = BoardDriver(ears.outbox, every=0.1, pace=0.3)
    place = DoorBinding(DOOR, {"in": "here"}, 3)
    try:
        await serving.configure([BoardPlan(Uhppote(host, port, SERIAL, 1), {1: place}, seen)], "", 0)
        await ears.hear(Online, lambda said: said.online)
        yield liar, ears
    finally:
        await serving.stop()
        transport.close()
        await asyncio.sleep(0)


def overwritten(index: int) -> BoardEvent:
    return BoardEvent(index, 255)


def badge(index: int) -> BoardEvent:
    return BoardEvent(index, 1, door=1, direction=1, card=CARD, at=datetime.now(UTC), reason=reasons.PC_CONTROL)


def absent(index: int) -> BoardEvent:
    return BoardEvent(0, 0)


@pytest.mark.parametrize("event", [overwritten, absent])
@pytest.mark.parametrize("newest", [20, 2**32 - 1])
def test_a_board_that_claims_events_it_has_not_is_told_about_in_few_words(
    newest: int, event: Callable[[int], BoardEvent]
) -> None:
    """Nothing is worth a question for each of four thousand million events, nor a word."""

    async def test() -> None:
        async with lied_to(newest, event, seen=10) as (liar, ears):
            await ears.hear(Heard, lambda said: said.index == newest)
            assert len(ears.of(Trouble)) <= 20
            assert len(liar.asked) < 200
            liar.newest, liar.event = 5, badge  # and whatever comes after that is heard as ever
            await ears.hear(Trouble, lambda said: f"event index went from {newest} back to 5" in en(said.text))
            await ears.hear(Read, lambda read: read.index == 5)

    run(test())
