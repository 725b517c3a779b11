"""What holds for every test: nothing may hang the run. A test that waits for ever is ended by its dead-man timer."""

import signal
from collections.abc import Iterator
from types import FrameType

import pytest

_SECONDS = 150


class Hung(Exception):
    """A test did not end in time. Raised in the main thread, so ``finally`` still kills, unmounts and removes."""


@pytest.fixture(autouse=True)
def dead_man() -> Iterator[None]:
    def ring(_number: int, _frame: FrameType | None) -> None:
        raise Hung(f"no end after {_SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
