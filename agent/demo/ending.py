"""Ending by a signal, in order: the first one becomes an exception, and nothing interrupts the tidying after it.

Rules of this file: a signal that was ignored when we were started (``nohup``) stays ignored.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class TerminatedError(BaseException):
    """A signal asked us to end. ``code`` is what shells expect: 128 and the signal's number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number


@contextmanager
def ending_by_signal() -> Iterator[None]:
    """Raise :class:`TerminatedError` in the block at the first signal that asks us to end.

    The handlers are put back afterwards.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        _ignore()
        raise TerminatedError(number)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed_after() -> Iterator[None]:
    """Ignore such signals from the end of the block on: put it innermost, so that all the tidying comes after it."""
    try:
        yield
    finally:
        _ignore()


def _ignore() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
