"""Ending by a signal: the first one becomes an exception, and nothing interrupts the clean-up after it.

Rules of this file: a signal that was ignored when the process started (``nohup``) stays ignored.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class TerminatedError(BaseException):
    """A signal asked the process to end. ``code`` is as shells expect: 128 plus the number of the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number


@contextmanager
def ending_by_signal() -> Iterator[None]:
    """Raise :class:`TerminatedError` in the block at the first signal that asks the process to end.

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
    """Ignore such signals from the end of the block on: use it innermost, so that all clean-up comes after it."""
    try:
        yield
    finally:
        _ignore()


def _ignore() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
