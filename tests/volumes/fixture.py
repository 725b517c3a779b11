"""Throw-away filesystems for tests: real ones, on loop devices. The root filesystem is never marked by any test.

A test module asks for them with ``pytest_plugins = ("tests.volumes.fixture",)``. Without root, or without mkfs,
the tests that use one are skipped and say why.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.kernel import mounting
from agent.simulator import volume_image
from tests import needs


@pytest.fixture(params=["ext4", "xfs"])
def volume(request: pytest.FixtureRequest) -> Iterator[volume_image.Volume]:
    """An empty volume; the test runs once for each filesystem type."""
    with _made(request.param) as made:
        yield made


@pytest.fixture
def ext4() -> Iterator[volume_image.Volume]:
    """An empty ext4 volume."""
    with _made("ext4") as made:
        yield made


@pytest.fixture
def tmpfs(ext4: volume_image.Volume) -> Path:
    """A tmpfs, mounted on a directory of a volume so that it goes when the volume goes."""
    point = ext4.point / "memory"
    point.mkdir()
    mounting.mount("shoumi-test", str(point), "tmpfs", 0, "size=1m")
    return point


@contextmanager
def _made(fstype: str) -> Iterator[volume_image.Volume]:
    if reason := needs.volume(fstype)():
        needs.skip_or_fail(reason)
    with volume_image.volume(fstype) as made:
        yield made
