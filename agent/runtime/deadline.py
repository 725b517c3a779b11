"""Deadlines for work that may sleep in the kernel, for callers that do not wait that long.

Rules of this file: the work has a thread of its own, which the end of the process does not wait for. A late result is
given to *discard*, in that thread.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Deadline(Generic[_T]):
    """One piece of work in progress. ``over``: its thread has ended."""

    def __init__(self, work: Callable[[], _T], discard: Callable[[_T], None]) -> None:
        self._work = work
        self._discard = discard
        self._turn = threading.Lock()
        self._finished = threading.Event()
        self._given_up = False
        self._outcomes: list[_T] = []
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="deadline", daemon=True).start()

    @property
    def over(self) -> bool:
        """Whether the work has ended."""
        return self._finished.is_set()

    def result(self, seconds: float) -> _T:
        """Return or raise the result of the work; ``TimeoutError`` after *seconds*, then permanently."""
        self._finished.wait(seconds)
        with self._turn:
            if not self._finished.is_set():
                self._given_up = True
                raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._outcomes[0]

    def _run(self) -> None:
        try:
            outcome = self._work()
        except BaseException as error:  # noqa: BLE001 - raised again by result()
            with self._turn:
                self._error = error
                self._finished.set()
            return
        with self._turn:
            self._outcomes.append(outcome)
            self._finished.set()
            late = self._given_up
        if late:
            self._discard(outcome)
