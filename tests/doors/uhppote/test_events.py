"""What a board noted is fetched from it: in order, once, none lost, and what is old is told as old."""

import asyncio

import pytest

from agent.doors.frames import Heard, Lost, Trouble
from agent.doors.messages import Contact, OwnDecision, Read, RequestToExit
from agent.doors.outbox import FRAMES, FRAMES_PER_DOOR
from agent.doors.uhppote import reasons
from agent.doors.uhppote.client import BoardClient
from agent.simulator.uhppote_packet import Fn
from tests.doors.uhppote.kit import CARD, SERIAL, online, run, site, store
from tests.sentences import en


def test_a_badge_is_a_read_fetched_from_the_board() -> None:
    async def test() -> None:
        async with site() as made:
            store(made.board)
            await online(made)
            event = made.board.swipe(1, CARD, "out")
            read = await made.ears.hear(Read)
            assert (read.door, read.side, read.card, read.index) == ("door0", "out", CARD, event.index)
            assert read.secure
            assert not read.stale
            assert event.reason == reasons.PC_CONTROL
            assert Fn.GET_EVENT in made.board.heard
            assert not made.board.unlocked(1)
            heard = await made.ears.hear(Heard, lambda said: said.index == event.index)
            assert heard.board == SERIAL

    run(test())


def test_while_control_does_not_listen_events_wait_on_the_board_and_none_is_lost() -> None:
    async def test() -> None:
        async with site(every=0.05, hears=20) as made:
            store(made.board)
            await online(made)
            made.ears.deaf = True
            for _ in range(60):
                made.board.swipe(1, CARD)
            await made.board.until(lambda board: board.heard.count(Fn.GET_EVENT) >= 9)
            asked = len(made.board.heard)
            await made.board.until(lambda board: len(board.heard) >= asked)
            assert made.board.heard.count(Fn.GET_EVENT) <= 11
            made.ears.deaf = False
            made.ears.outbox.drain()
            await made.ears.hear(Read, many=60)
            assert [read.index for read in made.ears.of(Read)] == list(range(1, 61))
            assert made.ears.of(Lost) == []

    run(test())


def test_what_happened_in_the_silence_is_told_in_order_and_as_old() -> None:
    seconds = [0.0]

    async def test() -> None:
        async with site(ticks=lambda: seconds[0]) as made:
            board = made.board
            store(board)
            board.memory.special = True
            for _ in range(3):
                board.swipe(1, CARD)
            board.button(1)
            board.move(1, is_open=True)
            board.faults.lose_events = True
            await made.configure(seen=1)
            await made.ears.hear(Heard, lambda said: said.index == 5)
            own = made.ears.of(OwnDecision)
            assert [(said.card, said.granted, said.reason) for said in own] == [(CARD, False, 6)] * 2
            assert all(said.stale for said in own)
            assert made.ears.of(RequestToExit) == [RequestToExit("door0", stale=True)]
            assert made.ears.of(Contact) == [Contact("door0", open=True), Contact("door0", open=True, stale=True)]

    run(test())


def test_a_read_before_the_board_was_taken_over_is_old() -> None:
    async def test() -> None:
        async with site() as made:
            store(made.board)
            await BoardClient(made.where()).take_control()
            made.board.swipe(1, CARD)
            await made.configure(seen=0)
            read = await made.ears.hear(Read)
            assert read.stale
            made.board.swipe(1, CARD)
            assert not (await made.ears.hear(Read, many=2)).stale

    run(test())


def test_a_read_whose_instant_is_not_now_is_old_and_a_changed_clock_is_told() -> None:
    async def test() -> None:
        async with site(every=0.2) as made:
            store(made.board)
            await online(made)
            made.board.memory.drift += 3600
            made.board.swipe(1, CARD)
            assert (await made.ears.hear(Read)).stale
            await made.ears.hear(Trouble, lambda said: "the clock was changed by another party" in en(said.text))
            await made.board.until(lambda board: abs(board.memory.drift) < 3)

    run(test())


def test_events_whose_announcement_was_lost_are_found() -> None:
    async def test() -> None:
        async with site() as made:
            store(made.board)
            made.board.faults.lose_events = True
            await online(made)
            for _ in range(5):
                made.board.swipe(1, CARD)
            await made.ears.hear(Read, many=5)
            assert [read.index for read in made.ears.of(Read)] == [1, 2, 3, 4, 5]

    run(test())


@pytest.mark.parametrize("fault", ["lose_requests", "lose_answers", "twice", "late"])
def test_a_bad_cable_loses_nothing_and_doubles_nothing(fault: str) -> None:
    async def test() -> None:
        async with site(pace=0.1) as made:
            store(made.board)
            setattr(made.board.faults, fault, {"twice": True, "late": 0.02}.get(fault, 3))
            await online(made)
            for _ in range(6):
                made.board.swipe(1, CARD)
            await made.ears.hear(Heard, lambda said: said.index == 6)
            assert [read.index for read in made.ears.of(Read)] == [1, 2, 3, 4, 5, 6]

    run(test())


def test_a_long_silence_is_fetched_in_parts_to_the_end() -> None:
    async def test() -> None:
        async with site(every=1000) as made:
            store(made.board)
            await BoardClient(made.where()).take_control()
            for _ in range(450):
                made.board.swipe(1, CARD)
            await made.configure(seen=0)
            await made.ears.hear(Read, many=450)
            await made.ears.hear(Heard, lambda said: said.index == 450)
            assert [said.index for said in made.ears.of(Heard)] == [200, 400, 450]
            assert all(read.stale for read in made.ears.of(Read))

    run(test())


def test_a_board_with_much_to_tell_says_no_more_than_control_believes_of_its_doors() -> None:
    async def test() -> None:
        async with site(every=1000) as made:
            store(made.board)
            await BoardClient(made.where()).take_control()
            outbox, loop = made.ears.outbox, asyncio.get_running_loop()
            outbox.pace(1)
            for _ in range(240):
                made.board.swipe(1, CARD)
            began = loop.time()
            await made.configure(seen=0)
            await made.ears.hear(Read, many=240)
            believed = FRAMES + FRAMES_PER_DOOR
            assert len(made.ears.frames) <= believed * (3.0 + 0.5 * (loop.time() - began)) + 10

    run(test())


def test_events_the_board_has_no_more_are_named_and_the_rest_is_told() -> None:
    async def test() -> None:
        async with site(capacity=5) as made:
            store(made.board)
            await BoardClient(made.where()).take_control()
            for _ in range(20):
                made.board.swipe(1, CARD)
            await made.configure(seen=3)
            said = await made.ears.hear(Trouble)
            assert "events 4 to 15 were overwritten" in en(said.text)
            await made.ears.hear(Read, many=5)
            assert [read.index for read in made.ears.of(Read)] == [16, 17, 18, 19, 20]

    run(test())


def test_what_a_board_reports_becomes_the_words_of_a_door() -> None:
    async def test() -> None:
        async with site() as made:
            await online(made)
            board = made.board
            board.swipe(1, 99)
            board.move(1, is_open=True)
            board.move(1, is_open=False)
            board.button(1)
            for reason in (34, 37, 38):
                board.alarm(1, reason)
            board.alarm(0, 39)
            await made.ears.hear(Heard, lambda said: said.index == 8)
            own = [(said.card, said.granted, said.reason) for said in made.ears.of(OwnDecision)]
            assert own == [(99, False, 18), (0, False, 34), (0, False, 37), (0, False, 38), (0, False, 39)]
            assert [said.open for said in made.ears.of(Contact)] == [False, True, False]
            assert len(made.ears.of(RequestToExit)) == 1
            assert made.ears.of(Read) == []

    run(test())
