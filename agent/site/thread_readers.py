"""Readers of the registry: one a thread, made when it first asks, and all of them closed by one owner.

Rules of this file: a reader is opened here and closed here. A thread that has ended takes none with it: its reader is
closed when another thread asks for its first one, or at the end.
"""

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class _Closable(Protocol):
    def close(self) -> None: ...


_Reader = TypeVar("_Reader", bound=_Closable)


class ThreadReaders(Generic[_Reader]):
    """What *make* opens, one for each thread that asks. For any thread."""

    def __init__(self, make: Callable[[], _Reader]) -> None:
        self._make = make
        self._own = threading.local()
        self._lock = threading.Lock()
        self._made: dict[threading.Thread, _Reader] = {}
        self._closed = False

    def mine(self) -> _Reader:
        """Return this thread's own. Raises what opening one raises, and :class:`RuntimeError` after :meth:`close`."""
        reader: _Reader | None = getattr(self._own, "reader", None)
        if reader is None:
            with self._lock:
                if self._closed:
                    raise RuntimeError("the readers of the registry are closed")
                self._close_idle()
                reader = self._own.reader = self._made[threading.current_thread()] = self._make()
        return reader

    def close(self) -> None:
        """Close them, once no thread asks any more. One that lives on keeps its own: it may be in the middle of it."""
        with self._lock:
            self._closed = True
            self._own = threading.local()
            self._close_idle(threading.current_thread())

    def _close_idle(self, *mine: threading.Thread) -> None:
        for thread in [one for one in self._made if one in mine or not one.is_alive()]:
            self._made.pop(thread).close()
