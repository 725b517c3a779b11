"""A leave date comes: denied on time while the control process is stopped, and carried out as soon as it goes on.

Rules of this file: the leaver is a real process that reads, and holds a mapping that no kernel asks about.
"""

import os
import select
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from agent.demo.actors import ActorIdentity, attempt, reading
from tests.enforcement.scene import NO_LOGIN, SIZE, Area, Scene, scene, until
from tests.enforcement.test_hold import alive, holding, proven

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-leave")]

PERSON, UID = "P61190", 61_190


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene((Area("plans"),)) as made:
        yield made


def test_access_ends_at_the_leave_date_with_the_control_process_stopped_and_the_run_follows(site: Scene) -> None:
    who, document = ActorIdentity(UID, NO_LOGIN), site.plans / "doc.txt"
    leave = datetime.now(UTC) + timedelta(seconds=8)
    with site.asking() as agent:
        agent.call("person.add", person=PERSON, level=["secret"], domain="state", account=[UID])
        agent.call("grant.add", person=PERSON, area="plans", reason="测试")
        case = agent.call("case.open", person=PERSON, last_day="2099-12-31", effective=leave.isoformat())["case"]
        assert agent.call("case.approve", person=PERSON)["step"] == "scheduled"
    assert attempt(who, reading(document)) == (SIZE, "")
    with alive(who, holding(document)) as (_, process):
        with site.stopped("control"):
            while datetime.now(UTC) < leave:
                assert not select.select([process], [], [], 0.05)[0]
            site.mark()
            assert attempt(who, reading(document))[1] == "EPERM"
            [denied] = [entry for entry in site.denials() if entry["fsuid"] == UID]
            assert denied["rule"] == "departure"
        assert select.select([process], [], [], 30)[0]  # the mapping ends with its process
    with site.asking() as agent:
        until(lambda: agent.call("case.status", person=PERSON)["step"] == "approved")
        ended = agent.call("case.status", person=PERSON)["ended_at"]
        assert abs(datetime.fromisoformat(ended) - leave) < timedelta(seconds=1)
        until(lambda: agent.call("case.progress", person=PERSON)["receipt"], 60)
        approved = agent.call("case.show", person=PERSON)["approved_at"]
    report = proven(site, str(case))
    assert (report.problems, report.complete) == ((), True)
    assert report.payload
    marks = {mark["mark"]: mark for mark in report.payload["timeline"]}
    assert datetime.fromisoformat(marks["approved"]["at"]) == datetime.fromisoformat(approved) < leave
    assert (marks["received"]["source"], marks["approved"]["source"]) == ("due", "act")
    assert datetime.fromisoformat(marks["received"]["at"]) == leave
    assert not [entry for entry in os.listdir("/proc") if entry.isdigit() and _uid(entry) == UID]


def _uid(pid: str) -> int:
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return -1
