"""One act takes something from many: a run for each up to a number of people, of more for those who hold something."""

from contextlib import closing

import pytest

from agent.control.offboarding import worker
from agent.offboard import database
from agent.offboard.journal import RevocationJournal
from tests.control.offboarding.test_hr_intake import until
from tests.control.site import Site


@pytest.mark.parametrize(("people", "runs"), [(32, 32), (33, 0)])
def test_of_up_to_32_people_each_has_a_run_and_of_more_those_alone_who_hold_something(
    fresh: Site, people: int, runs: int
) -> None:
    plans = fresh.home.root / "plans"
    plans.mkdir()
    with fresh.client() as agent:
        agent.call("area.add", path=str(plans), name="plans", level="secret", domain="state")
        for number in range(people):
            agent.call("person.add", person=f"P{number}", level=["state=secret"])
            agent.call("grant.add", person=f"P{number}", area="plans", reason="测试")
        agent.call("area.set", area="plans", level="top-secret")
        agent.call("person.add", person="LAST")
        hold = agent.call("hold.add", person="LAST", reason="x")["hold"]
    with closing(RevocationJournal(database.path(fresh.home.root))) as journal:
        until(lambda: hold in journal.begun())  # cuts are made in the order of the acts
        assert len(journal.begun() - {hold}) == runs
    [act] = fresh.entries(act="area.set", outcome="done")
    assert act["lost"]["people"] == people  # type: ignore[index]


def test_the_rest_of_many_is_done_for_32_at_a_time_and_what_is_pending_again_every_half_minute() -> None:
    assert worker.AGAIN == 30.0
    assert [len(some) for some in worker._batches(map(str, range(70)))] == [32, 32, 6]  # noqa: SLF001 - the bound
