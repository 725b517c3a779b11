"""What the agent does by itself goes on the record like anybody's act."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from control_site import Site

from agent.control.decider_client import Link
from agent.control.handlers import areas as _area_ops  # noqa: F401 - its handlers register themselves
from agent.control.offboarding.expiry_notices import Expiry
from agent.control.schedule import Schedule
from agent.control.services import Desk, open_desk
from agent.runtime import channel
from agent.runtime.clock import Clock, nanoseconds


@contextmanager
def in_process(site: Site) -> Iterator[Desk]:
    """The desk of *site* in this process, in the place of its control process."""
    site.control.terminate()
    site.control.wait(30)
    with open_desk(site.home, Link(channel.Client(site.control_end)), None) as desk:
        yield desk


def observing_again(desk: Desk) -> bool:
    return desk.lists.areas("plans")[0]["mode"] == "observe"


def test_an_area_goes_back_to_observe_unless_it_is_confirmed(fresh: Site) -> None:
    plans = fresh.home.root / "plans"
    plans.mkdir()
    with fresh.client() as caller:
        caller.call("area.add", path=str(plans), name="plans", level="secret", domain="state", observe=True)
        caller.call("area.enforce", area="plans", revert_after=5)
    with in_process(fresh) as desk:
        Schedule(desk).step()
        assert not observing_again(desk)
        desk.clock = Clock(nanoseconds(desk.now() + timedelta(minutes=6)))
        Schedule(desk).step()
        assert observing_again(desk)
        Schedule(desk).step()
    [entry] = fresh.entries(act="area.observe")
    assert entry["outcome"] == "done"
    assert entry["args"] == {"area": "plans", "by": "schedule"}


def test_what_ends_soon_is_said_once(fresh: Site) -> None:
    plans = fresh.home.root / "plans"
    plans.mkdir()
    with fresh.client() as caller:
        caller.call("area.add", path=str(plans), name="plans", level="secret", domain="state")
        caller.call("person.add", person="E1")
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        caller.call("grant.add", person="E1", area="plans", reason="x", until=tomorrow)
    with in_process(fresh) as desk:
        for _ in range(2):  # as after a restart
            Expiry(desk).step()
    [entry] = fresh.entries(kind="expiring")
    assert entry["count"] == 1
