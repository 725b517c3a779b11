"""Packets from elsewhere: a forged event opens, hides and costs nothing, and a forged answer is none."""

import asyncio
import socket

import pytest

from agent.doors.address import Uhppote
from agent.doors.frames import Trouble
from agent.doors.messages import Read
from agent.doors.uhppote.client import BoardClient, NoResponseError
from agent.doors.uhppote.controller import KEEP
from agent.simulator import uhppote_packet
from agent.simulator.uhppote_board import Board
from agent.simulator.uhppote_packet import Fn
from tests.doors.uhppote.kit import CARD, SERIAL, hint_of, online, run, sender, site, store
from tests.sentences import en


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
            assert "came from no board of this site" in en(said.text)

    run(test())


def test_a_packet_with_the_serial_number_of_a_board_from_another_address_is_no_hint() -> None:
    async def test() -> None:
        async with site(every=KEEP) as made:
            await online(made)
            assert made.board.memory.listener
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
                forger.bind(("127.0.0.2", 0))
                forger.sendto(hint_of(made.board, 1), made.board.memory.listener)
                await made.ears.hear(Trouble, lambda said: "came from no board" in en(said.text))

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
