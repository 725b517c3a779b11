"""Boards and wires that are odd: short packets and late ones, openings only claimed, indexes that end, wrong clocks."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from agent.doors.frames import (
    BoardBadge,
    Cards,
    CardStates,
    Configure,
    DoorSetup,
    Heard,
    ReaderSetup,
    StrikeSetup,
    Trouble,
)
from agent.doors.messages import Contact, Online, OwnDecision, Read, Release, Released
from agent.doors.uhppote.client import BoardClient, NoResponseError
from agent.doors.uhppote.controller import Opening
from agent.simulator import uhppote_packet
from agent.simulator.uhppote_board import Board
from agent.simulator.uhppote_packet import BoardEvent, Fn
from tests.doors.kit import Control, Loop, boards, doors_process
from tests.doors.uhppote.kit import CARD, SERIAL, Site, run, site
from tests.sentences import en

LAST = 2**32 - 1


async def online(made: Site, **how: Any) -> None:
    await made.configure(**how)
    await made.ears.hear(Online, lambda said: said.online)
    await made.ears.hear(Contact)


@contextmanager
def served() -> Iterator[tuple[Loop, Board, Control]]:
    """A board with a card, and the doors process as control runs it."""
    with boards(SERIAL) as (loop, [board]), doors_process() as control:
        at = f"{board.line}/1"
        control.send(Configure((DoorSetup("store", (ReaderSetup("in", at),), StrikeSetup(at)),), {}, "127.0.0.1:0"))
        control.hear(Contact)
        control.send(Cards("c", put=(BoardBadge(CARD, "2099-12-31"),)))
        control.hear(CardStates, lambda said: said.confirmed == (CARD,))
        yield loop, board, control


# --- short packets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 8, 63])
def test_a_packet_cut_short_is_no_answer(length: int) -> None:
    async def test() -> None:
        async with site() as made:
            made.board.faults.cut = length
            client = BoardClient(made.where(), pace=0.05)
            with pytest.raises(NoResponseError):
                await client.status()
            with pytest.raises(NoResponseError):
                await client.open(1, lambda: None)

    run(test())


@pytest.mark.long
def test_a_board_whose_packets_are_cut_short_is_away_and_opens_nothing() -> None:
    with served() as (loop, board, control):
        board.faults.cut = 63
        loop.call(lambda: board.swipe(1, CARD))
        away = control.hear(Online, lambda said: not said.online)
        assert away.why
        control.send(Release("r1", "store", "in", 3))
        refused = control.hear(Released)
        assert (refused.ok, refused.confirmed) == (False, False)
        assert control.of(Read) == []
        board.faults.cut = uhppote_packet.LENGTH
        control.hear(Online, lambda said: said.online, many=2)
        assert control.hear(Read).stale  # it waited on the board
        loop.call(lambda: board.swipe(1, CARD))
        control.hear(Read, lambda read: not read.stale)


def test_short_and_long_packets_at_the_listener_are_counted_and_cost_nothing() -> None:
    async def test() -> None:
        async with site() as made:
            await online(made)
            assert made.board.memory.listener
            whole = bytes(
                uhppote_packet.answer(
                    Fn.STATUS, SERIAL, *uhppote_packet.event_fields(BoardEvent(9, 1, True, 1, 1, CARD, None, 5))
                )
            )
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for packet in (b"", whole[:1], whole[:63], whole + b"\0", whole * 20):
                    sender.sendto(packet, made.board.memory.listener)
            await made.ears.hear(Trouble, lambda said: "came from no board of this site" in en(said.text))
            made.board.memory.cards.append(None)
            event = made.board.swipe(1, 77)
            await made.ears.hear(OwnDecision, lambda said: said.card == 77)
            assert event.index == 1

    run(test())


# --- openings that are only claimed ----------------------------------------------------------------------------------


def test_a_board_that_says_it_opened_and_did_not_is_found_out() -> None:
    with served() as (loop, board, control):
        board.faults.feigns = True
        control.send(Release("r1", "store", "in", 3))
        assert control.hear(Released) == Released("r1", ok=True, confirmed=False)
        board.faults.feigns = False
        control.send(Release("r2", "store", "in", 3))
        assert control.hear(Released, many=2) == Released("r2", ok=True, confirmed=True)
        loop.call(lambda: board.swipe(1, CARD))
        control.hear(Read)


def test_an_opening_whose_lock_cannot_be_read_afterwards_was_sent_and_is_not_confirmed() -> None:
    async def test() -> None:
        async with site(every=1000, pace=0.1) as made:
            await online(made)
            made.board.faults.mute = frozenset({Fn.STATUS})
            assert await made.serving.release(made.where(), 3) == Opening(None, confirmed=False)
            assert made.board.unlocked(1)

    run(test())


def test_an_opening_that_is_withdrawn_when_it_was_carried_out_is_not_called_withdrawn() -> None:
    async def test() -> None:
        async with site(every=1000, pace=1.0) as made:
            await online(made)
            made.board.faults.mute = frozenset({Fn.STATUS})
            opening = asyncio.create_task(made.serving.release(made.where(), 3))
            await made.board.until(lambda board: board.heard[-1] is Fn.STATUS)
            opening.cancel()
            assert await opening == Opening(None, confirmed=False)

    run(test())


def test_the_lock_that_is_read_is_that_of_the_door() -> None:
    async def test() -> None:
        async with site() as made:
            await online(made)
            made.board.doors[2].mode = 1  # another door of the board stands unlocked
            made.board.faults.feigns = True
            assert await made.serving.release(made.where(), 3) == Opening(None, confirmed=False)

    run(test())


# --- answers to something else ---------------------------------------------------------------------------------------


def test_an_answer_that_comes_after_its_time_is_nobodys() -> None:
    async def test() -> None:
        async with site(pace=0.1) as made:
            client = BoardClient(made.where(), pace=0.1)
            made.board.faults.late = 0.15
            with pytest.raises(NoResponseError):
                await client.status()
            made.board.swipe(1, 1)
            made.board.faults.late = 0.0
            found = await client.event(1)  # while answers to what was asked before still arrive
            assert found
            assert (found.index, found.card) == (1, 1)
            assert (await client.status()).index == 1

    run(test())


def test_an_event_answered_in_the_place_of_another_is_not_taken_for_it() -> None:
    async def test() -> None:
        async with site() as made:
            for card in (1, 2, 3):
                made.board.swipe(1, card)
            kept = made.board._event  # noqa: SLF001 - a board that answers wrongly
            made.board._event = lambda index: kept(index - 1)  # type: ignore[method-assign]  # noqa: SLF001
            assert await BoardClient(made.where()).event(3) is None
            await made.configure(seen=0)
            await made.ears.hear(Heard, lambda said: said.index == 3)
            assert made.ears.of(OwnDecision) == []
            assert len(made.ears.of(Trouble)) == 3  # each is named as missing

    run(test())


def test_a_card_answered_in_the_place_of_another_proves_nothing() -> None:
    async def test() -> None:
        async with site() as made:
            carry_out = made.board._card  # noqa: SLF001 - a board that answers wrongly

            def other(fn: Fn, frame: bytes) -> tuple[tuple[int, bytes], ...]:
                fields = carry_out(fn, frame)
                return ((8, uhppote_packet.uint32(77)), *fields[1:]) if fn is Fn.GET_CARD and fields else fields

            made.board._card = other  # type: ignore[method-assign]  # noqa: SLF001
            await online(made)
            made.serving.cards(Cards("c", put=(BoardBadge(CARD, "2099-12-31"),)))
            said = await made.ears.hear(CardStates)
            assert (said.confirmed, said.pending) == ((), (CARD,))
            assert said.why
            assert "a different card" in en(said.why)

    run(test())


def test_every_answer_twice_confirms_an_opening_once() -> None:
    with served() as (_loop, board, control):
        board.faults.twice = True
        control.send(Release("r1", "store", "in", 3))
        assert control.hear(Released) == Released("r1", ok=True)
        control.send(Release("r2", "store", "in", 3))
        control.hear(Released, lambda said: said.id == "r2")
        assert len(control.of(Released)) == 2
        assert board.doors[1].opened == 2


# --- indexes and clocks ----------------------------------------------------------------------------------------------


def test_when_the_index_of_events_begins_again_that_is_told_and_so_is_what_follows() -> None:
    async def test() -> None:
        async with site() as made:
            made.board.memory.last = LAST - 2
            await online(made)
            for cards in ((1, 2), (3, 4)):
                for card in cards:
                    made.board.swipe(1, card)
                await made.ears.hear(OwnDecision, many=cards[-1])
            assert [said.card for said in made.ears.of(OwnDecision)] == [1, 2, 3, 4]
            await made.ears.hear(Trouble, lambda said: f"event index went from {LAST} back to 2" in en(said.text))
            made.board.swipe(1, 5)
            assert not (await made.ears.hear(OwnDecision, lambda said: said.card == 5)).stale

    run(test())


def test_a_board_whose_clock_cannot_be_set_is_away_and_says_why() -> None:
    async def test() -> None:
        async with site(pace=0.1) as made:
            made.board.faults.stuck_clock, made.board.memory.drift = True, 7200.0
            await made.configure()
            said = await made.ears.hear(Online)
            assert not said.online
            assert said.why
            assert "the clock of the board cannot be set" in en(said.why)
            made.board.faults.stuck_clock = False
            await made.ears.hear(Online, lambda again: again.online)
            assert abs(made.board.memory.drift) < 3

    run(test())
