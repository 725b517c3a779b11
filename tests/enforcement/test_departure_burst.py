"""Many departures at once, and the control process killed among them: none is lost, and each person's are in order."""

import pytest

from tests.bench.departures import IN_ORDER, burst, company, person
from tests.enforcement.scene import dead_man, until

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-departures")]

PEOPLE = 30  # two tokens about each


@pytest.mark.parametrize("people", [802, pytest.param(8_002, marks=pytest.mark.long)])
def test_of_sixty_tokens_at_once_none_is_lost_when_the_control_process_is_killed(people: int) -> None:
    with company(people=people, areas=4, files=20, leavers=PEOPLE) as site, dead_man(site.site, 150):
        done = burst(site, range(PEOPLE)).done
        assert set(done) == {person(number) for number in range(PEOPLE)}
        assert all(acts in IN_ORDER for acts in done.values()), done
        folder, waiting = site.site.home.root / "spool", sum("superseded" in acts for acts in done.values())
        assert not [*(folder / "rejected").iterdir()]
        until(lambda: len([*(folder / "quarantine").glob("*.set")]) == waiting)
