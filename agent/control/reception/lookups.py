"""Lookups in a name service that may be slow: each in its own daemon thread.

Rules of this file: one at a time per uid, and a limited number in total. An abandoned lookup counts until it ends, so
that a hanging directory costs one thread per uid and not per request.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_T = TypeVar("_T")


class Lookups:
    """At most *most* concurrent lookups, one per uid. Belongs to the event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: dict[int, asyncio.Future[None]] = {}

    async def run(self, uid: int, work: Callable[[], _T]) -> _T:
        """Return the result of *work*, or raise its error, once *uid* has its turn."""
        while (running := self._under_way.get(uid)) or len(self._under_way) >= self._most:
            first = {running} if running else set(self._under_way.values())
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        over: asyncio.Future[None] = loop.create_future()
        self._under_way[uid] = over

        def end(tell: Callable[[], None]) -> None:
            del self._under_way[uid]
            over.set_result(None)
            if not future.cancelled():
                tell()

        def call() -> None:
            try:
                answer = work()
            except Exception as why:  # noqa: BLE001 - raised again in the waiting task
                error = why
                with suppress(RuntimeError):  # the loop was closed meanwhile
                    loop.call_soon_threadsafe(end, lambda: future.set_exception(error))
            else:
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(end, lambda: future.set_result(answer))

        threading.Thread(target=call, name="lookup", daemon=True).start()
        return await future
