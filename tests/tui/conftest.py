"""The terminal in front of a running site: the processes the tests of the control process use."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.control.site import Site, running
from tests.tui.site import furnished


@pytest.fixture(scope="session", autouse=True)
def zone() -> Iterator[None]:
    """One zone for the screens, here and in the processes that are started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(scope="session")
def shared(zone: None) -> Iterator[Site]:
    """One site with people, areas and a log, for all tests that change nothing."""
    with _site() as started:
        yield started


@pytest.fixture
def site(zone: None) -> Iterator[Site]:
    """A site of its own."""
    with _site() as started:
        yield started


@contextmanager
def _site() -> Iterator[Site]:
    root = Path(tempfile.mkdtemp(prefix="shoumi-test-"))
    root.chmod(0o755)  # other users may pass through, as they may at a real site
    try:
        furnished(root / "home")
        with running(root / "home") as started:
            yield started
    finally:
        shutil.rmtree(root)
