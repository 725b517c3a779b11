"""What the agent does by itself goes on the record like anybody's act."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from agent.control.decider_client import DeciderConnection
from agent.control.handlers import handler_table
from agent.control.offboarding.expiry_notices import ExpiryNotices
from agent.control.schedule import ScheduledActs
from agent.control.services import ControlServices, open_services
from agent.control.transaction import ActExecutor
from agent.runtime import channel
from tests.control.site import Site
from tests.control.time import later


@contextmanager
def in_process(site: Site) -> Iterator[ControlServices]:
    """The services of *site* in this process, in the place of its control process."""
    site.control.terminate()
    site.control.wait(30)
    with open_services(site.home, DeciderConnection(channel.ChannelClient(site.control_end)), None) as services:
        yield services


def observing_again(services: ControlServices) -> bool:
    return services.site.lists.areas.find("plans")[0]["mode"] == "observe"


def test_an_area_goes_back_to_observe_unless_it_is_confirmed(fresh: Site) -> None:
    plans = fresh.home.root / "plans"
    plans.mkdir()
    with fresh.client() as caller:
        caller.call("area.add", path=str(plans), name="plans", level="secret", domain="state", observe=True)
        caller.call("area.enforce", area="plans", revert_after=5)
    with in_process(fresh) as services:
        site, executor = services.site, ActExecutor(services, handler_table().acts)
        ScheduledActs(site, executor, tuple, lambda: None).step()
        assert not observing_again(services)
        site.clock = later(site.clock, minutes=6)
        ScheduledActs(site, executor, tuple, lambda: None).step()
        assert observing_again(services)
        ScheduledActs(site, executor, tuple, lambda: None).step()
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
    with in_process(fresh) as services:
        for _ in range(2):  # as after a restart
            ExpiryNotices(services.site).step()
    [entry] = fresh.entries(kind="expiring")
    assert entry["count"] == 1
