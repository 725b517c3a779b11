"""What holds for every test.

Nothing may hang the run: a test that waits for ever is ended by its dead-man timer.
Nothing may reach the next test: the umask and the working directory are as they were.
Nothing may depend on speed or chance: laws are tried on the same examples each time, however long one takes. New
examples are looked for by ``make laws``; one that fails there becomes an ``@example`` and stays.
"""

import os
import signal
from collections.abc import Iterator
from types import FrameType

import pytest
from hypothesis import HealthCheck, settings

from tests import needs, unclosed

_SECONDS = 300  # far above any test on a busy machine: only one that hangs meets it
_LONG_SECONDS = 1_200

settings.register_profile(
    "same",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("search", settings.get_profile("same"), derandomize=False, max_examples=1_000)
settings.load_profile("same")


def pytest_configure() -> None:
    """Take signals as in the foreground: what ``nohup`` or a background job ignores, every child would ignore, too."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    unclosed.watch()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    needs.met(item)


@pytest.fixture(autouse=True)
def left_as_it_was() -> Iterator[None]:
    before = _inherited()
    yield
    assert _inherited() == before, "what every later test and its children would have"


def _inherited() -> tuple[int, str]:
    umask = os.umask(0o022)
    os.umask(umask)
    return umask, os.getcwd()


class HungError(Exception):
    """A test did not end in time. Raised in the main thread, so ``finally`` still kills, unmounts and removes."""


@pytest.fixture(autouse=True)
def dead_man(request: pytest.FixtureRequest) -> Iterator[None]:
    seconds = _LONG_SECONDS if request.node.get_closest_marker("long") else _SECONDS

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise HungError(f"no end after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
