"""A running site per module: two real processes over a real socket pair, no kernel marks."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control.site import Site, running


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with folder() as root, running(root / "home") as started:
        yield started


@pytest.fixture
def fresh() -> Iterator[Site]:
    with folder() as root, running(root / "home") as started:
        yield started


class folder:  # noqa: N801 - a context manager
    """A folder other users may pass through, which pytest's own are not."""

    def __enter__(self) -> Path:
        self.path = Path(tempfile.mkdtemp(prefix="shoumi-test-"))
        self.path.chmod(0o755)
        return self.path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path)
