"""One board: taken over, kept, believed only when asked; and what becomes of silence, forgery and other hands."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from agent.doors.address import Uhppote
from agent.doors.frames import Heard, Lost, Trouble
from agent.doors.messages import Contact, Online, OwnDecision, Power, Read, RequestToExit
from agent.doors.outbox import FRAMES, FRAMES_PER_DOOR
from agent.doors.uhppote import reasons
from agent.doors.uhppote.client import BoardClient, NoResponseError
from agent.doors.uhppote.controller import KEEP, Opening
from agent.errors import RefusedError
from agent.simulator import uhppote_packet
from agent.simulator.uhppote_board import PATIENCE, Board
from agent.simulator.uhppote_packet import BoardCard, BoardEvent, Fn
from tests.doors.uhppote.kit import CARD, FAR, SERIAL, Site, run, site

NO_RIGHTS = (0, 0, 0, 0)


def store(board: Board, card: int = CARD, rights: tuple[int, int, int, int] = NO_RIGHTS) -> None:
    board.memory.cards.append(BoardCard(card, datetime(2020, 1, 1, tzinfo=UTC).date(), FAR, rights))


async def online(made: Site, *sides: str, **how: object) -> None:
    await made.configure(*sides, **how)  # type: ignore[arg-type]
    await made.ears.hear(Online, lambda said: said.online)
    await made.ears.hear(Contact)


@contextmanager
def sender() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        yield made


def hint_of(board: Board, index: int, card: int = 1) -> bytes:
    return bytes(
        uhppote_packet.answer(
            Fn.STATUS, board.serial, *uhppote_packet.event_fields(BoardEvent(index, 1, True, 1, 1, card, None, 5))
        )
    )


def test_a_board_is_taken_over_before_it_counts_as_there() -> None:
    async def test() -> None:
        async with site() as made:
            board = made.board
            board.doors[1].mode, board.memory.drift = 1, -86400.0
            board.doors[2].open = True
            await online(made, offset=8 * 3600)
            assert board.heard[0] is Fn.PC_CONTROL
            assert board.under_control
            assert (board.doors[1].mode, board.doors[1].delay) == (3, 3)
            assert abs(board.memory.drift - 8 * 3600) < 3
            assert board.memory.special
            assert board.memory.listener is not None
            assert board.memory.listener[0] == "127.0.0.1"
            assert {(said.side, said.online, said.secure) for said in made.ears.of(Online)} == {
                ("in", True, False),
                ("out", True, False),
            }
            assert made.ears.of(Contact) == [Contact("door0", open=False)]

    run(test())


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


def test_a_forged_event_opens_nothing_and_hides_nothing() -> None:
    async def test() -> None:
        async with site() as made:
            store(made.board)
            await online(made)
            assert made.board.memory.listener
            with sender() as forger:
                for index in (1, 7, 2**32 - 1):
                    forger.sendto(hint_of(made.board, index, CARD), made.board.memory.listener)
                await made.board.until(lambda board: Fn.GET_EVENT in board.heard)
            assert made.ears.of(Read) == []
            made.board.swipe(1, CARD)
            assert (await made.ears.hear(Read)).index == 1

    run(test())


def test_a_flood_of_forged_events_costs_the_board_next_to_nothing() -> None:
    async def test() -> None:
        async with site(every=KEEP) as made:
            store(made.board)
            await online(made)
            assert made.board.memory.listener
            with sender() as forger:
                for number in range(400):
                    forger.sendto(hint_of(made.board, 1000 + number), made.board.memory.listener)
                    await asyncio.sleep(0)
            made.board.swipe(1, CARD)
            await made.ears.hear(Read)
            assert made.board.heard.count(Fn.GET_EVENT) < 100

    run(test())


def test_packets_from_elsewhere_are_counted_and_said() -> None:
    async def test() -> None:
        async with site() as made:
            await online(made)
            assert made.board.memory.listener
            with sender() as forger:
                stranger = Board(SERIAL + 1)
                forger.sendto(hint_of(stranger, 1), made.board.memory.listener)
                said = await made.ears.hear(Trouble)
            assert "came from no board of this site" in said.text.en

    run(test())


def test_a_packet_with_the_serial_number_of_a_board_from_another_address_is_no_hint() -> None:
    async def test() -> None:
        async with site(every=KEEP) as made:
            await online(made)
            assert made.board.memory.listener
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
                forger.bind(("127.0.0.2", 0))
                forger.sendto(hint_of(made.board, 1), made.board.memory.listener)
                await made.ears.hear(Trouble, lambda said: "came from no board" in said.text.en)

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


def test_a_board_that_answers_for_another_serial_number_is_away_and_says_who_answers() -> None:
    async def test() -> None:
        async with site(pace=0.1) as made:
            made.board.faults.poses_as = 77
            await made.configure()
            said = await made.ears.hear(Online)
            assert not said.online
            assert said.why
            assert "board 77 answers in its place" in said.why.en
            made.board.faults.poses_as = 0
            await made.ears.hear(Online, lambda again: again.online)

    run(test())


def test_an_answer_from_another_address_is_none() -> None:
    """The library's own socket takes the first 64 bytes from anybody; ours hears the board alone."""

    async def test() -> None:
        board = Board(SERIAL)
        await board.start()
        loop = asyncio.get_running_loop()
        with sender() as elsewhere:

            class Relay(asyncio.DatagramProtocol):
                def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                    elsewhere.sendto(uhppote_packet.answer(Fn.OPEN_DOOR, SERIAL, (8, b"\1")), addr)

            relay, _ = await loop.create_datagram_endpoint(Relay, local_addr=("127.0.0.1", 0))
            port = relay.get_extra_info("sockname")[1]
            with pytest.raises(NoResponseError):
                await BoardClient(Uhppote("127.0.0.1", port, SERIAL, 1), pace=0.1).open(1, lambda: None)
            relay.close()
            await board.stop()

    run(test())


def test_release_unlocks_and_the_event_it_causes_is_not_a_badge() -> None:
    async def test() -> None:
        async with site() as made:
            await online(made)
            assert await made.serving.release(made.where(), 6.5) == Opening(None, confirmed=True)
            assert made.board.unlocked(1)
            assert made.board.doors[1].delay == 7
            await made.ears.hear(Heard, lambda said: said.index == 1)
            assert made.ears.of(Read) == []
            assert made.ears.of(OwnDecision) == []

    run(test())


def test_a_door_opened_over_the_network_by_somebody_else_is_told() -> None:
    async def test() -> None:
        async with site() as made:
            await online(made)
            assert (await made.serving.release(made.where(), 3)).why is None
            await BoardClient(made.where()).open(1, lambda: None)  # anybody on the wire can
            said = await made.ears.hear(OwnDecision)
            assert (said.granted, said.reason, said.card) == (True, reasons.REMOTE_OPEN, 0)
            await made.ears.hear(Heard, lambda heard: heard.index == 2)
            assert len(made.ears.of(OwnDecision)) == 1

    run(test())


def test_an_opening_that_was_repeated_because_its_answer_was_lost_is_still_ours() -> None:
    async def test() -> None:
        async with site(every=KEEP, pace=0.1) as made:
            await online(made)
            made.board.faults.mute = frozenset({Fn.OPEN_DOOR})
            assert (await made.serving.release(made.where(), 3)).why
            assert made.board.doors[1].opened > 1
            await made.ears.hear(Heard, lambda said: said.index == made.board.doors[1].opened)
            assert made.ears.of(OwnDecision) == []

    run(test())


def test_release_says_why_it_did_not_happen() -> None:
    async def test() -> None:
        async with site(pace=0.1) as made:
            assert (await made.serving.release(made.where(), 3)).why
            await online(made)
            made.board.doors[1].mode = 2
            refused = (await made.serving.release(made.where(), 3)).why
            assert refused
            assert "refused" in refused.en
            made.board.faults.dead = True
            assert (await made.serving.release(made.where(), 3)).why
            away = await made.ears.hear(Online, lambda said: not said.online)
            assert away.address == f"{made.board.line}/1"

    run(test())


def test_control_is_kept_while_the_agent_lives_and_silence_opens_nothing() -> None:
    seconds = [0.0]

    async def test() -> None:
        async with site(every=0.02, ticks=lambda: seconds[0]) as made:
            board = made.board
            store(board)
            await online(made)
            for _ in range(20):
                turns = board.heard.count(Fn.PC_CONTROL)
                seconds[0] += PATIENCE - 1
                assert board.under_control
                await board.until(lambda board, turns=turns: board.heard.count(Fn.PC_CONTROL) > turns)  # type: ignore[misc]
            await made.serving.stop()
            seconds[0] += PATIENCE + 2
            event = board.swipe(1, CARD)
            assert (event.reason, event.granted) == (6, False)
            assert not board.unlocked(1)

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
            await made.ears.hear(Trouble, lambda said: "set its clock" in said.text.en)
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


def test_a_board_that_lost_power_is_taken_over_again() -> None:
    async def test() -> None:
        async with site(every=1000) as made:
            store(made.board)
            await online(made)
            made.board.reboot()
            assert not made.board.under_control
            await made.ears.hear(Power, lambda said: not said.failed)
            await made.board.until(lambda board: board.under_control)
            await made.ears.hear(Contact, many=2)
            made.board.swipe(1, CARD)
            assert not (await made.ears.hear(Read)).stale

    run(test())


def test_a_board_that_was_replaced_is_told_and_its_events_are_read_from_the_first() -> None:
    async def test() -> None:
        async with site() as made:
            store(made.board)
            await online(made)
            for _ in range(3):
                made.board.swipe(1, CARD)
            await made.ears.hear(Read, many=3)
            made.board.faults.lose_events = True
            made.board.reset()
            made.board.swipe(1, CARD)
            await made.ears.hear(Trouble, lambda said: "events begin again at 1 after 3" in said.text.en)
            read = await made.ears.hear(Read, many=4)
            assert (read.index, read.stale) == (1, True)

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
            assert "events 4 to 15 were overwritten" in said.text.en
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


def test_a_board_that_opens_by_its_own_list_is_told_and_taken_over_at_once() -> None:
    async def test() -> None:
        async with site(every=1000) as made:
            store(made.board, rights=(1, 1, 1, 1))
            await online(made)
            made.board._pc_control = False  # noqa: SLF001 - a board that forgets it, which no packet makes it do
            made.board.swipe(1, CARD)
            said = await made.ears.hear(OwnDecision)
            assert (said.granted, said.reason, said.card) == (True, reasons.SWIPE, CARD)
            await made.board.until(lambda board: board.under_control)

    run(test())


def test_a_reader_that_was_not_set_up_is_no_way_out() -> None:
    async def test() -> None:
        async with site() as made:
            store(made.board)
            await online(made, "in")
            made.board.swipe(1, CARD, "out")
            made.board.swipe(2, CARD)
            await made.ears.hear(Trouble, lambda said: "door 1, direction out" in said.text.en)
            await made.ears.hear(Trouble, lambda said: "door 2, direction in" in said.text.en)
            assert made.ears.of(Read) == []

    run(test())


@pytest.mark.parametrize("listen", ["0.0.0.0:60001", "10.9.0.2", "host:1", "127.0.0.1:x", "224.0.0.1:1", "192.0.2.1:1"])
def test_the_listener_is_one_address_of_this_machine_and_boards_are_polled_without(listen: str) -> None:
    async def test() -> None:
        async with site() as made:
            store(made.board)
            with pytest.raises(RefusedError):
                await made.configure(listen=listen)
            await made.ears.hear(Contact)
            made.board.swipe(1, CARD)
            assert not (await made.ears.hear(Read)).stale

    run(test())


def test_the_same_configuration_again_bounces_no_board() -> None:
    async def test() -> None:
        async with site(every=KEEP) as made:
            await online(made)
            heard = len(made.board.heard)
            said = len(made.ears.frames)
            for _ in range(3):
                await made.configure()
            store(made.board)
            made.board.swipe(1, CARD)
            await made.ears.hear(Heard, lambda heard: heard.index == 1)
            assert made.board.heard[heard:] == [Fn.GET_EVENT]
            assert len(made.ears.frames) == said + 2

    run(test())


def test_a_mistake_in_serving_one_board_is_told_and_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with site(2) as made:
            for board in made.boards:
                store(board)
            broken = [True]
            fetch = BoardClient.event

            async def event(client: BoardClient, index: int) -> object:
                if broken and client.serial == SERIAL:
                    broken.clear()
                    raise KeyError("no such thing\x1b")
                return await fetch(client, index)

            monkeypatch.setattr(BoardClient, "event", event)
            await online(made)
            await made.ears.hear(Contact, many=2)
            for board in made.boards:
                board.swipe(1, CARD)
            await made.ears.hear(Read, lambda read: read.door == "door1")
            said = await made.ears.hear(Trouble)
            assert "a mistake: `KeyError: 'no such thing\\x1b'`" in said.text.en
            await made.ears.hear(Read, lambda read: read.door == "door0")

    run(test())
