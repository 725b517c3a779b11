"""Readers of the registry: one for each thread, opened at its first use, and all closed by one owner.

Rules of this file: a reader is opened here and closed here. The reader of an ended thread is closed when another thread
opens its first one, or at the end.
"""

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class _Closable(Protocol):
    def close(self) -> None: ...


_Reader = TypeVar("_Reader", bound=_Closable)


class ThreadReaders(Generic[_Reader]):
    """The readers that *make* opens, one for each thread. For any thread."""

    def __init__(self, make: Callable[[], _Reader]) -> None:
        self._make = make
        self._own = threading.local()
        self._lock = threading.Lock()
        self._readers: dict[threading.Thread, _Reader] = {}
        self._closed = False

    def of_this_thread(self) -> _Reader:
        """Return this thread's reader. Raises what *make* raises, and :class:`RuntimeError` after :meth:`close`."""
        reader: _Reader | None = getattr(self._own, "reader", None)
        if reader is None:
            with self._lock:
                if self._closed:
                    raise RuntimeError("the readers of the registry are closed")
                self._close_idle()
                reader = self._own.reader = self._readers[threading.current_thread()] = self._make()
        return reader

    def close(self) -> None:
        """Close the readers, when no thread uses one any more. A living thread keeps its own, which may be in use."""
        with self._lock:
            self._closed = True
            self._own = threading.local()
            self._close_idle(threading.current_thread())

    def _close_idle(self, *closing: threading.Thread) -> None:
        for thread in [owner for owner in self._readers if owner in closing or not owner.is_alive()]:
            self._readers.pop(thread).close()
