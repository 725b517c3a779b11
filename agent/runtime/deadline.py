"""Work that may sleep in the kernel for as long as somebody else's disk likes, and one who does not wait that long.

Rules of this file: the work has a thread of its own, which nobody waits for at the end of the process. What it brings
back too late is given to *discard*, in that thread.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Deadline(Generic[_T]):
    """One piece of work that was begun. ``over``: its thread has ended."""

    def __init__(self, work: Callable[[], _T], discard: Callable[[_T], None]) -> None:
        self._work = work
        self._discard = discard
        self._turn = threading.Lock()
        self._done = threading.Event()
        self._given_up = False
        self._found: list[_T] = []
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="deadline", daemon=True).start()

    @property
    def over(self) -> bool:
        """Whether the work has ended."""
        return self._done.is_set()

    def result(self, seconds: float) -> _T:
        """Return what the work returned, or raise what it raised; after *seconds* ``TimeoutError``, for good."""
        self._done.wait(seconds)
        with self._turn:
            if not self._done.is_set():
                self._given_up = True
                raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._found[0]

    def _run(self) -> None:
        try:
            found = self._work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            with self._turn:
                self._error = error
                self._done.set()
            return
        with self._turn:
            self._found.append(found)
            self._done.set()
            late = self._given_up
        if late:
            self._discard(found)
