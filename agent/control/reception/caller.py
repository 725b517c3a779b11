"""Connection of a caller: bounded reading of request lines and writing of answers.

Rules of this file: no more is read than the size limit. Bytes sent while an answer is pending stay in the kernel, at
the caller's expense. Every wait for a caller has a timeout: for the next request, for the rest of a line, for reading
the answer.
"""

import asyncio
import select
import socket
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from agent.api.peers import Peer
from agent.control.reception import arrivals
from agent.control.reception.arrivals import CallArrival
from agent.control.reception.budgets import BUDGETS, LARGE, SMALL, CallerKind
from agent.errors import UsageError
from rules.text import Message, Sentence

_CHUNK = 1 << 16


class RequestLine(NamedTuple):
    """One request line and its arrival."""

    payload: bytes
    arrived: CallArrival


class BrokenRequestError(UsageError):
    """Raised when nothing more can be read from the connection."""


class ConnectedCaller:
    """A caller and its connection, which belongs to the event loop. ``accepted``: when it connected."""

    def __init__(self, end: socket.socket, peer: Peer, kind: CallerKind, accepted: float) -> None:
        self.peer = peer
        self.kind = kind
        self.budget = BUDGETS[kind]
        self._end = end
        self._buffer = bytearray()
        self._accepted: float | None = accepted  # bytes available at once may have arrived with the connection
        self._arrived: CallArrival | None = None  # arrival of the first byte of the incomplete request

    async def line(self, may_ask_much: Callable[[], Awaitable[bool]]) -> RequestLine | None:
        """Return the next request, ``None`` after the caller has disconnected or was idle for too long.

        A request larger than :data:`SMALL` is read to its end if the caller *may_ask_much*. Raises
        :class:`BrokenRequestError` for a request that is too large or does not end in time.
        """
        if not self._buffer:
            try:
                async with asyncio.timeout(self.budget.idle_seconds):
                    if not await self._more(SMALL):
                        return None
            except TimeoutError:
                return None
        try:
            async with asyncio.timeout(self.budget.line_seconds):
                return await self._whole(may_ask_much)
        except TimeoutError:
            raise BrokenRequestError(Message("control.request-timeout")) from None

    async def send(self, payload: bytes) -> None:
        """Send an answer. Raises ``ConnectionResetError`` when it is not read in time."""
        try:
            async with asyncio.timeout(self.budget.write_seconds):
                await asyncio.get_running_loop().sock_sendall(self._end, payload)
        except TimeoutError:
            raise ConnectionResetError from None

    def hung_up(self) -> bool:
        """Return whether the caller has disconnected, without reading from it."""
        poll = select.poll()
        poll.register(self._end, select.POLLRDHUP)
        return bool(poll.poll(0))

    async def _whole(self, may_ask_much: Callable[[], Awaitable[bool]]) -> RequestLine | None:
        searched, most = 0, SMALL
        while (newline := self._buffer.find(b"\n", searched)) < 0 or newline >= most:
            searched = len(self._buffer)
            if searched >= most:
                if most == LARGE or not await may_ask_much():
                    raise BrokenRequestError(_too_large(most))
                most, searched = LARGE, 0
            elif not await self._more(min(_CHUNK, most - searched)):
                return None  # incomplete line before the end
        arrived, payload = self._arrived, bytes(self._buffer[: newline + 1])
        del self._buffer[: newline + 1]
        if not self._buffer:
            self._arrived = None
        assert arrived is not None
        return RequestLine(payload, arrived)

    async def _more(self, most: int) -> bool:
        try:
            chunk, since = self._end.recv(most), self._accepted or arrivals.found_now()
        except (BlockingIOError, InterruptedError):
            chunk = await asyncio.get_running_loop().sock_recv(self._end, most)
            since = arrivals.found_before()
        self._accepted = None
        if self._arrived is None:
            self._arrived = CallArrival(since, time.monotonic())
        self._buffer += chunk
        return bool(chunk)


def _too_large(most: int) -> Sentence:
    if most == LARGE:
        return Message("control.request-too-large", size="1 MiB")
    return Message("control.request-too-large-without-role", size="4 KiB")
