"""Questions to a name service that may take its time: each in a thread of its own, which nobody waits for at the end.

Rules of this file: one at a time for each uid, and a few in all. One that nobody waits for any more counts until it
ends, so that a directory that hangs costs a thread for each uid and not for each request.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_T = TypeVar("_T")


class Lookups:
    """At most *most* lookups at a time, one of each uid. Belongs to the event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: dict[int, asyncio.Future[None]] = {}

    async def run(self, uid: int, work: Callable[[], _T]) -> _T:
        """Return what *work* returns, or raise what it raises, once it is the turn of *uid*."""
        while (mine := self._under_way.get(uid)) or len(self._under_way) >= self._most:
            first = {mine} if mine else set(self._under_way.values())
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        loop = asyncio.get_running_loop()
        found: asyncio.Future[_T] = loop.create_future()
        over: asyncio.Future[None] = loop.create_future()
        self._under_way[uid] = over

        def end(tell: Callable[[], None]) -> None:
            del self._under_way[uid]
            over.set_result(None)
            if not found.cancelled():
                tell()

        def look() -> None:
            try:
                result = work()
            except Exception as why:  # noqa: BLE001 - it is raised where the result is waited for
                error = why
                with suppress(RuntimeError):  # the loop has ended meanwhile
                    loop.call_soon_threadsafe(end, lambda: found.set_exception(error))
            else:
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(end, lambda: found.set_result(result))

        threading.Thread(target=look, name="lookup", daemon=True).start()
        return await found
