"""Tests against the real kernel: real volumes, real processes, the real agent. Nothing here is imitated."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import needs
from tests.enforcement.scene import Scene, dead_man

_FORKING = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")  # Python 3.12 on


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """People are forked children, and the test runner has threads. The children run no code that takes their locks."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(_FORKING)


@pytest.fixture(scope="session", autouse=True)
def able() -> None:
    if reason := needs.fanotify_permissions():
        needs.skip_or_fail(reason)


@pytest.fixture(autouse=True)
def watched(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test that has a scene has a dead man behind it."""
    if "site" not in request.fixturenames:
        yield
        return
    site: Scene = request.getfixturevalue("site")
    with dead_man(site.site):
        site.mark()
        yield
