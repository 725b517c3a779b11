"""One connection of a caller: requests come in as lines, answers go out, and both within bounds.

Rules of this file: no more is read than may be asked. What a caller sends while it waits for an answer stays in the
kernel, on its own account. Every wait for a caller ends: for its next request, for the rest of a line, for its reading.
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
from rules.text import Text

_CHUNK = 1 << 16


class RequestLine(NamedTuple):
    """One request as it came, and when."""

    data: bytes
    arrived: CallArrival


class BrokenRequestError(UsageError):
    """After this nothing more can be read from the connection."""


class ConnectedCaller:
    """A caller of a kind on its connection, which belongs to the event loop. ``accepted``: when it came."""

    def __init__(self, end: socket.socket, peer: Peer, kind: CallerKind, accepted: float) -> None:
        self.peer = peer
        self.kind = kind
        self.budget = BUDGETS[kind]
        self._end = end
        self._rest = bytearray()
        self._accepted: float | None = accepted  # what is there at once may have come with it
        self._arrived: CallArrival | None = None  # of the first byte of what was read and is no request yet

    async def line(self, may_ask_much: Callable[[], Awaitable[bool]]) -> RequestLine | None:
        """Return the next request, ``None`` when there will be none: the caller is gone, or was idle for too long.

        One that is larger than :data:`SMALL` is read to its end if the caller *may_ask_much*. Raises
        :class:`BrokenRequestError` for one that is larger than it may be, or does not end in time.
        """
        if not self._rest:
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
            raise BrokenRequestError(Text("the request did not end in time", "请求未在规定时间内结束")) from None

    async def send(self, data: bytes) -> None:
        """Send an answer. Raises ``ConnectionResetError`` when nobody reads it."""
        try:
            async with asyncio.timeout(self.budget.write_seconds):
                await asyncio.get_running_loop().sock_sendall(self._end, data)
        except TimeoutError:
            raise ConnectionResetError from None

    def gone(self) -> bool:
        """Whether the caller has hung up, without a look at what it has sent."""
        look = select.poll()
        look.register(self._end, select.POLLRDHUP)
        return bool(look.poll(0))

    async def _whole(self, may_ask_much: Callable[[], Awaitable[bool]]) -> RequestLine | None:
        looked, most = 0, SMALL
        while (found := self._rest.find(b"\n", looked)) < 0 or found >= most:
            looked = len(self._rest)
            if looked >= most:
                if most == LARGE or not await may_ask_much():
                    raise BrokenRequestError(_too_large(most))
                most, looked = LARGE, 0
            elif not await self._more(min(_CHUNK, most - looked)):
                return None  # half a line, and the end
        arrived, data = self._arrived, bytes(self._rest[: found + 1])
        del self._rest[: found + 1]
        if not self._rest:
            self._arrived = None
        assert arrived is not None
        return RequestLine(data, arrived)

    async def _more(self, most: int) -> bool:
        try:
            chunk, since = self._end.recv(most), self._accepted or arrivals.found_now()
        except (BlockingIOError, InterruptedError):
            chunk = await asyncio.get_running_loop().sock_recv(self._end, most)
            since = arrivals.found_before()
        self._accepted = None
        if self._arrived is None:
            self._arrived = CallArrival(since, time.monotonic())
        self._rest += chunk
        return bool(chunk)


def _too_large(most: int) -> Text:
    size = "1 MiB" if most == LARGE else "4 KiB"
    more = Text("", "") if most == LARGE else Text(", and the caller has no role", "，且调用者没有角色")
    return Text(f"the request is larger than {size}{more.en}", f"请求超过 {size}{more.zh}")
