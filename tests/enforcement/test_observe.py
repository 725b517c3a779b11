"""Observe mode decides and records, and blocks nothing; going over to enforce shows first who would be shut out."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from agent.demo.actors import attempt, reading
from agent.log.append import Appender
from agent.log.entry import render, stamp
from tests.enforcement.scene import CLEARED, TOO_LOW, UNKNOWN, Area, Scene, error_of, scene, until
from tests.enforcement.servers import server

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-observe")]


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene((Area("plans", options=("--observe",)), Area("drafts"))) as made:
        yield made


def test_observing_blocks_nothing_and_records_what_it_would_have_denied(site: Scene) -> None:
    path = site.plans / "doc.txt"
    for who in (TOO_LOW, UNKNOWN, CLEARED):
        assert attempt(who, reading(path)).allowed
    assert attempt(TOO_LOW, lambda: error_of(lambda: os.listdir(site.plans))).value == ""
    opens = [entry for entry in site.accesses(TOO_LOW, UNKNOWN, CLEARED) if entry["action"] == "open"]
    seen = [(entry["fsuid"], entry["verdict"], entry["rule"], entry["mode"], entry["enforced"]) for entry in opens]
    assert seen == [
        (TOO_LOW.uid, "deny", "level", "observe", False),
        (UNKNOWN.uid, "deny", "nobody", "observe", False),
        (CLEARED.uid, "allow", "allow", "observe", False),
    ]
    assert all("reason" in entry for entry in opens if entry["verdict"] == "deny")


def test_a_server_with_a_file_that_nobody_known_has_opened_goes_on_where_it_is_only_observed(site: Scene) -> None:
    before = site.public / "before.txt"
    with server("smbd") as served:
        fd = served.open(before, CLEARED.uid, flags=os.O_CREAT)
        before.rename(site.plans / before.name)
        site.mark()
        for _ in range(5):
            assert served.read(fd, uid=CLEARED.uid) == 0
        found = [entry["rule"] for entry in site.accesses() if entry.get("pid") == served.pid]
    assert found == ["no-opener"]


def test_an_observed_area_does_not_weaken_an_enforced_one_beside_it(site: Scene) -> None:
    drafts = site.site.root / "drafts"
    assert attempt(TOO_LOW, reading(drafts / "doc.txt")).error == "EPERM"
    os.rename(drafts / "doc1.txt", site.plans / "from-drafts.txt")
    assert attempt(TOO_LOW, reading(site.plans / "from-drafts.txt")).error == "EPERM"
    os.rename(site.plans / "doc1.txt", drafts / "from-plans.txt")
    assert attempt(TOO_LOW, reading(drafts / "from-plans.txt")).error == "EPERM"


def test_enforcing_says_first_who_would_have_been_denied_and_changes_nothing_unasked(site: Scene) -> None:
    for who in (TOO_LOW, UNKNOWN):
        assert attempt(who, reading(site.plans / "doc.txt")).allowed
    told = site.site.shoumi("area", "enforce", "plans", check=False)
    assert told.returncode == 1
    assert "E2" in told.stdout
    with site.asking() as agent:
        denied = {row["person"]: row for row in agent.call("area.would", area="plans")["denied"]}
    assert denied["E2"]["rules"] == ["level"]
    assert denied["E2"]["count"] >= 1
    assert "E1" not in denied
    assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).allowed

    site.site.shoumi("area", "enforce", "plans", "--yes")
    assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).error == "EPERM"
    assert attempt(CLEARED, reading(site.plans / "doc.txt")).allowed
    site.site.shoumi("area", "observe", "plans")
    assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).allowed


def test_an_unconfirmed_enforce_goes_back_by_itself_and_a_confirmed_one_stays(site: Scene) -> None:
    """Nobody waits for minutes: an entry that is later than the clock, and no file of it, move the agent's time on."""
    for area in ("plans", "drafts"):
        site.site.shoumi("area", "enforce", area, "--yes", "--revert-after", "1")
    site.site.shoumi("area", "confirm", "drafts")
    assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).error == "EPERM"
    site.site.stop()
    site.site.home.clock.unlink()
    with Appender(site.site.home.log, "power") as log:
        later = datetime.now(UTC) + timedelta(minutes=2)
        log.append([render(log.next_seq, stamp(later), {"host": "test", "kind": "test"})])
    site.site.start()
    until(lambda: attempt(TOO_LOW, reading(site.plans / "doc.txt")).allowed)
    assert attempt(TOO_LOW, reading(site.site.root / "drafts" / "doc2.txt")).error == "EPERM"
    back = [entry for entry in site.news() if entry.get("act") == "area.observe"]  # recorded before it is in force
    assert [(entry["args"]["area"], entry["outcome"]) for entry in back] == [("plans", "done")]
