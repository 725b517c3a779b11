"""The simulated board, as the stock client library sees it: its own sockets, its own decoding, nothing of ours between.

Every call the agent makes of the library is made here too, and what is read back is what the board really has. So a
board that pleases only the agent's own socket (:class:`agent.doors.uhppote.client._Api`) would be found out.
"""

import asyncio
import inspect
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time
from ipaddress import IPv4Address
from typing import Any, ClassVar

import pytest
from uhppoted import uhppote, uhppote_async  # type: ignore[import-untyped]

from agent.doors.uhppote import client as uhppote_client
from agent.simulator.uhppote_board import Board
from tests.doors.kit import PATIENCE, Loop, boards
from tests.doors.uhppote.kit import CARD, FAR, SERIAL

FROM = date(2026, 1, 2)


@pytest.fixture
def board() -> Iterator[tuple[Loop, Board]]:
    with boards(SERIAL) as (loop, [made]):
        yield loop, made


@pytest.fixture
def client(board: tuple[Loop, Board]) -> "Client":
    return Client(board[1])


class Client:
    """The library's own client, asked about one board."""

    called: ClassVar[set[str]] = set()

    def __init__(self, board: Board) -> None:
        self._where = (board.serial, f"{board.host}:{board.port}", "udp")
        self._api = uhppote.Uhppote(bind="127.0.0.1")

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any) -> Any:
            self.called.add(name)
            answer = getattr(self._api, name)(self._where, *args, timeout=PATIENCE)
            assert answer.controller == SERIAL
            return answer

        return call


def test_its_state_is_read(board: tuple[Loop, Board], client: Client) -> None:
    loop, made = board
    loop.call(lambda: made.swipe(2, CARD, "out"))
    made.doors[3].open = True
    made.doors[4].mode = 1
    said = client.get_status()
    assert (said.door_1_open, said.door_2_open, said.door_3_open, said.door_4_open) == (False, False, True, False)
    assert (said.relays, said.system_error) == (0b1000, 0)
    assert (said.event_index, said.event_door, said.event_direction, said.event_card) == (1, 2, 2, CARD)
    assert (said.event_access_granted, said.event_reason) == (False, 18)
    assert isinstance(said.system_date, date)
    assert isinstance(said.system_time, time)


def test_its_clock_is_read_and_set(client: Client) -> None:
    moment = datetime(2030, 6, 7, 8, 9, 10)  # noqa: DTZ001 - a board's clock has no zone
    assert client.set_time(moment).datetime == moment
    assert abs((client.get_time().datetime - moment).total_seconds()) < PATIENCE


def test_a_door_is_set_read_and_opened(board: tuple[Loop, Board], client: Client) -> None:
    said = client.set_door_control(1, 3, 7)
    assert (said.door, said.mode, said.delay) == (1, 3, 7)
    said = client.get_door_control(1)
    assert (said.door, said.mode, said.delay) == (1, 3, 7)
    assert client.open_door(1).opened
    assert client.get_status().relays == 0b0001
    event = client.get_event(1)
    assert (event.reason, event.door, event.access_granted) == (44, 1, True)
    client.set_door_control(2, 2, 7)
    assert not client.open_door(2).opened  # it is kept closed


def test_cards_are_stored_read_counted_and_deleted(client: Client) -> None:
    assert client.put_card(CARD, FROM, FAR, 0, 1, 29, 0, 7531).stored
    said = client.get_card(CARD)
    assert (said.card_number, said.start_date, said.end_date, said.pin) == (CARD, FROM, FAR, 7531)
    assert (said.door_1, said.door_2, said.door_3, said.door_4) == (0, 1, 29, 0)
    assert client.get_card_by_index(1).card_number == CARD
    assert client.get_cards().cards == 1
    assert client.get_card(CARD + 1).card_number == 0
    assert client.delete_card(CARD).deleted
    assert not client.delete_card(CARD).deleted
    assert client.get_card(CARD).card_number == 0
    assert client.get_card_by_index(1).card_number == 0xFFFFFFFF
    assert client.get_card_by_index(2).card_number == 0
    client.put_card(CARD, FROM, FAR, 0, 0, 0, 0, 0)
    assert client.delete_all_cards().deleted
    assert client.get_cards().cards == 0


def test_events_are_read_by_index(board: tuple[Loop, Board], client: Client) -> None:
    loop, made = board
    assert client.set_pc_control(True).ok
    client.put_card(CARD, FROM, FAR, 0, 0, 0, 0, 0)
    loop.call(lambda: made.swipe(3, CARD, "out"))
    event = client.get_event(1)
    assert (event.index, event.event_type, event.card, event.door, event.direction) == (1, 1, CARD, 3, 2)
    assert (event.access_granted, event.reason) == (False, 5)
    assert isinstance(event.timestamp, datetime)
    assert client.get_event(2).event_type == 0
    assert client.record_special_events(True).updated
    loop.call(lambda: made.move(3, is_open=True))
    assert client.get_event(2).reason == 23


def test_events_are_pushed_to_the_listener(board: tuple[Loop, Board], client: Client) -> None:
    loop, made = board
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert client.set_listener(IPv4Address("127.0.0.1"), port).ok
    said = client.get_listener()
    assert (str(said.address), said.port) == ("127.0.0.1", port)

    async def listen() -> Any:
        heard: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        close = asyncio.Event()
        api = uhppote_async.UhppoteAsync(bind="127.0.0.1", listen=f"127.0.0.1:{port}")
        listening = asyncio.create_task(api.listen(lambda said: heard.done() or heard.set_result(said), close=close))
        try:
            while not heard.done():  # it does not say when it has begun to listen
                await asyncio.to_thread(loop.call, lambda: made.swipe(1, CARD))
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(heard), 0.2)
            return heard.result()
        finally:
            close.set()
            await listening

    pushed = asyncio.run(asyncio.wait_for(listen(), PATIENCE))
    assert (pushed.controller, pushed.event_card, pushed.event_door, pushed.event_reason) == (SERIAL, CARD, 1, 18)


def test_what_the_agent_calls_is_called_here() -> None:
    """Runs last in this file: the calls above are all there are in the agent's client."""
    used = set(re.findall(r"self\._api\.([a-z_]+)", inspect.getsource(uhppote_client)))
    assert used
    assert used <= Client.called
