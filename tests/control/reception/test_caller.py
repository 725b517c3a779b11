"""One connection: no more is read than may be asked, and every wait for a caller ends."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing

import pytest

from agent.api.peers import Peer
from agent.control.reception.arrivals import ArrivalLoop
from agent.control.reception.budgets import LARGE, SMALL, CallerKind
from agent.control.reception.caller import BrokenRequestError, ConnectedCaller

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with closing(ours), closing(theirs):
        yield ours, theirs


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


def caller(end: socket.socket, **seconds: float) -> ConnectedCaller:
    made = ConnectedCaller(end, Peer(1, 5, 5, frozenset({5})), CallerKind.STRANGER, 1.0)
    made.budget = made.budget._replace(**seconds)  # type: ignore[arg-type]
    return made


def run(work: Callable[[], Awaitable[None]]) -> None:
    with asyncio.Runner(loop_factory=ArrivalLoop) as runner:
        runner.run(work())  # type: ignore[arg-type]


def test_requests_come_one_by_one_with_when_they_came(ends: Ends) -> None:
    ours, theirs = ends

    async def main() -> None:
        reading = caller(ours)
        theirs.sendall(b"one\ntwo\nthr")
        first, second = await reading.line(no), await reading.line(no)
        assert first
        assert second
        assert (first.payload, second.payload) == (b"one\n", b"two\n")
        assert first.arrived.since == 1.0  # when it was connected: it may have been there by then
        third = asyncio.create_task(reading.line(no))
        await asyncio.sleep(0)
        theirs.sendall(b"ee\n")
        found = await third
        assert found
        assert found.payload == b"three\n"
        assert first.arrived.since <= second.arrived.since <= found.arrived.since <= asyncio.get_running_loop().time()
        theirs.shutdown(socket.SHUT_WR)
        assert await reading.line(no) is None
        assert reading.hung_up()

    run(main)


def test_idle_ends_and_half_a_line_is_an_offence(ends: Ends) -> None:
    ours, theirs = ends

    async def main() -> None:
        assert await caller(ours, idle_seconds=0.01).line(no) is None
        assert not caller(ours).hung_up()
        theirs.sendall(b"half")
        with pytest.raises(BrokenRequestError, match=r"control.request-timeout"):
            await caller(ours, line_seconds=0.01).line(no)

    run(main)


def test_who_has_no_role_asks_little_and_the_rest_is_not_even_read(ends: Ends) -> None:
    ours, theirs = ends
    theirs.setblocking(False)
    sent = theirs.send(b"x" * 100_000)
    assert sent > 3 * SMALL

    async def main() -> None:
        with pytest.raises(BrokenRequestError, match=r"control.request-too-large-without-role.*4 KiB"):
            await caller(ours).line(no)

    run(main)
    assert len(ours.recv(1 << 20)) == sent - SMALL


def test_who_has_a_role_asks_up_to_the_limit(ends: Ends) -> None:
    ours, theirs = ends
    longest = b"x" * (LARGE - 1) + b"\n"

    async def main() -> None:
        loop = asyncio.get_running_loop()
        theirs.setblocking(False)
        reading = caller(ours, line_seconds=30)
        sending = asyncio.create_task(loop.sock_sendall(theirs, longest + b"y" * (LARGE + 1)))
        found = await reading.line(yes)
        assert found
        assert found.payload == longest
        with pytest.raises(BrokenRequestError, match=r"control.request-too-large'.*1 MiB"):
            await reading.line(yes)
        sending.cancel()

    run(main)


@pytest.mark.parametrize("size", [SMALL - 1, SMALL])
def test_the_small_limit_is_exact(ends: Ends, size: int) -> None:
    ours, theirs = ends
    theirs.sendall(b"x" * size + b"\n")

    async def main() -> None:
        reading = caller(ours)
        if size < SMALL:
            found = await reading.line(no)
            assert found
            assert len(found.payload) == SMALL
        else:
            with pytest.raises(BrokenRequestError):
                await reading.line(no)

    run(main)


def test_an_answer_that_nobody_reads_is_given_up(ends: Ends) -> None:
    ours, _ = ends

    async def main() -> None:
        with pytest.raises(ConnectionResetError):
            await caller(ours, write_seconds=0.01).send(b"x" * (1 << 22))

    run(main)


def test_what_waited_while_the_loop_was_late_came_before_it_was_late(ends: Ends) -> None:
    """A loop that is busy does not see when something comes: who asks is told of the whole wait."""
    ours, theirs = ends

    async def main() -> None:
        loop = asyncio.get_running_loop()
        reading = caller(ours)
        theirs.sendall(b"first\n")
        assert await reading.line(no)
        waiting = asyncio.create_task(reading.line(no))
        await asyncio.sleep(0)
        before = loop.time()
        theirs.sendall(b"second\n")
        while loop.time() - before < 0.05:
            pass  # the loop is late
        found = await waiting
        assert found
        assert found.arrived.since <= before + 0.001
        assert before < found.arrived.read  # and a receipt says that nothing was received before it was sent

    run(main)


def test_who_connects_long_before_they_ask_has_not_waited_since(ends: Ends) -> None:
    ours, theirs = ends

    async def main() -> None:
        reading = asyncio.create_task(caller(ours).line(no))
        await asyncio.sleep(0)
        before = asyncio.get_running_loop().time()
        theirs.sendall(b"first\n")
        found = await reading
        assert found
        assert 1.0 < before - 0.05 <= found.arrived.since <= found.arrived.read

    run(main)
