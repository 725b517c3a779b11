"""Doors while the registry lacks what the log holds: nobody in, everybody out."""

from collections.abc import Iterator

import pytest

from agent.doors.messages import Contact, Released
from agent.registry.lineage import StoreRelation
from tests.rooms.site import Kit, kit


@pytest.fixture
def site() -> Iterator[Kit]:
    with kit() as made:
        yield made


def test_nobody_goes_in_by_a_registry_that_lacks_what_the_log_holds_and_everybody_comes_out(site: Kit) -> None:
    site.enter("E1")
    site.building.stores.now = StoreRelation(older=True, proven=99)
    assert site.swipe("E2") == []
    [*_, refused] = site.entries(kind="door")
    assert (refused["verdict"], refused["rule"], refused["epoch"]) == ("deny", "registry-older", 99)
    [release] = site.swipe("E1", side="out")
    site.rooms.answered(Released(release.id, ok=True))
    site.rooms.heard("vault", Contact("vault", open=True))
    assert site.building.reader.presence() == ()
    [*_, left] = site.entries(kind="door")
    assert (left["side"], left["epoch"]) == ("out", 99)
    site.building.stores.now = StoreRelation()
    assert site.swipe("E2")
