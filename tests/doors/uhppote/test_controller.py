"""A board is taken over and kept, set up as the site says, and taken over again when it was away."""

import pytest

from agent.doors.frames import Heard, Trouble
from agent.doors.messages import Contact, Online, Power, Read
from agent.doors.uhppote.client import BoardClient
from agent.doors.uhppote.controller import KEEP
from agent.errors import RefusedError
from agent.simulator.uhppote_board import PATIENCE
from agent.simulator.uhppote_packet import Fn
from tests.doors.uhppote.kit import CARD, SERIAL, online, run, site, store
from tests.sentences import en


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


def test_a_board_that_answers_for_another_serial_number_is_away_and_says_who_answers() -> None:
    async def test() -> None:
        async with site(pace=0.1) as made:
            made.board.faults.poses_as = 77
            await made.configure()
            said = await made.ears.hear(Online)
            assert not said.online
            assert said.why
            assert "board 77 answered instead" in en(said.why)
            made.board.faults.poses_as = 0
            await made.ears.hear(Online, lambda again: again.online)

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
            await made.ears.hear(Trouble, lambda said: "event index went from 3 back to 1" in en(said.text))
            read = await made.ears.hear(Read, many=4)
            assert (read.index, read.stale) == (1, True)

    run(test())


def test_a_reader_that_was_not_set_up_is_no_way_out() -> None:
    async def test() -> None:
        async with site() as made:
            store(made.board)
            await online(made, "in")
            made.board.swipe(1, CARD, "out")
            made.board.swipe(2, CARD)
            await made.ears.hear(Trouble, lambda said: "door 1, direction out" in en(said.text))
            await made.ears.hear(Trouble, lambda said: "door 2, direction in" in en(said.text))
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
            assert "board 405419896: internal error: `KeyError: 'no such thing\\x1b'`" in en(said.text)
            await made.ears.hear(Read, lambda read: read.door == "door0")

    run(test())
