"""Boards on loopback and the agent's side of them in one event loop; everything said is kept and can be awaited."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from agent.doors.address import Uhppote
from agent.doors.frames import FromDoors
from agent.doors.link import LinkFullError
from agent.doors.messages import Contact, Online
from agent.doors.outbox import CAPACITY, Outbox
from agent.doors.uhppote.boards import BoardDriver, BoardPlan
from agent.doors.uhppote.client import PACE
from agent.doors.uhppote.events import DoorBinding
from agent.simulator import uhppote_packet
from agent.simulator.uhppote_board import Board
from agent.simulator.uhppote_packet import BoardCard, BoardEvent, Fn

SERIAL = 405419896
CARD = 4660
FAR = date(2099, 12, 31)
PATIENCE = 30.0
NO_RIGHTS = (0, 0, 0, 0)

Kind = TypeVar("Kind")


class Ears:
    """What control hears."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.frames: list[FromDoors] = []
        self.deaf = False
        self._more = asyncio.Condition()
        self.outbox = Outbox(self._take, capacity)
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [frame for frame in self.frames if isinstance(frame, kind)]

    async def hear(self, kind: type[Kind], true: Callable[[Kind], object] = lambda _: True, many: int = 1) -> Kind:
        """Return the *many*-th frame of a kind that is so, as soon as it is there."""

        def found() -> list[Kind]:
            return [frame for frame in self.of(kind) if true(frame)]

        async with self._more:
            await asyncio.wait_for(self._more.wait_for(lambda: len(found()) >= many), PATIENCE)
        return found()[many - 1]

    def _take(self, frame: FromDoors) -> None:
        if self.deaf:
            raise LinkFullError
        self.frames.append(frame)
        task = asyncio.get_running_loop().create_task(self._tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self) -> None:
        async with self._more:
            self._more.notify_all()


class Site:
    """Boards and what serves them."""

    def __init__(self, boards: list[Board], every: float, pace: float, capacity: int) -> None:
        self.board = boards[0]
        self.boards = boards
        self.ears = Ears(capacity)
        self.serving = BoardDriver(self.ears.outbox, every, pace)

    def places(self, number: int = 0, *sides: Any) -> Mapping[int, DoorBinding]:
        line = self.boards[number].line
        return {1: DoorBinding(f"door{number}", dict.fromkeys(sides or ("in", "out"), f"{line}/1"), 3)}

    def where(self, number: int = 0) -> Uhppote:
        board = self.boards[number]
        return Uhppote(board.host, board.port, board.serial, 1)

    async def configure(
        self, *sides: Any, seen: int | None = None, offset: int = 0, listen: str = "127.0.0.1:0"
    ) -> None:
        plans = [BoardPlan(self.where(n), self.places(n, *sides), seen) for n in range(len(self.boards))]
        await self.serving.configure(plans, listen, offset)


@asynccontextmanager
async def site(
    count: int = 1, every: float = 0.2, pace: float = PACE, hears: int = CAPACITY, **how: Any
) -> AsyncIterator[Site]:
    """Make boards that are reached in *pace*; shorter only where one is dead, so that waiting for it is short."""
    boards = [Board(SERIAL + number, **how) for number in range(count)]
    for board in boards:
        await board.start()
    made = Site(boards, every, pace, hears)
    try:
        yield made
    finally:
        await made.serving.stop()
        for board in boards:
            await board.stop()


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test that awaits."""
    asyncio.run(test)


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
