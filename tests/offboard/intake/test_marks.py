"""When a notice was received and when it was on the disk: taken where it happened, not when somebody looked."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.offboard import database
from agent.offboard.intake.notice import HrEvent
from agent.offboard.intake.store import ArrivedNotice, WantedNotice, arrived
from tests.offboard.intake.signing import departure, right
from tests.offboard.intake.site import NOW, Site

LATE = NOW + timedelta(days=1)
SLOW = 1.0  # seconds


def found(home: Path, txn: str = "HR-1") -> ArrivedNotice:
    notice = arrived(database.path(home), "E1001", WantedNotice(HrEvent.DEPARTURE_APPROVED, txn), LATE)
    assert notice
    return notice


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path) as made:
        yield made


def test_received_is_when_the_file_appeared_and_not_when_somebody_looked(site: Site) -> None:
    path = site.drop(right(departure(jti="1", txn="HR-1")))
    appeared = path.stat().st_ctime
    while time.time() - appeared < SLOW:
        time.sleep(SLOW / 10)
    site.sweep()
    marks = found(site.home)
    assert marks.looked_at
    assert timedelta(seconds=SLOW) <= marks.looked_at - marks.received_at < timedelta(seconds=SLOW + 5)
    assert marks.not_before is None  # nobody had looked before


def test_received_lies_between_the_look_before_and_the_look_that_found_it(site: Site) -> None:
    """The time of the file is another clock's: what it says beyond two looks is not believed."""
    before = NOW - timedelta(seconds=SLOW / 2)  # each look takes some of its time
    site.sweep(before)
    path = site.drop(right(departure(jti="1", txn="HR-1")))
    while time.time() - path.stat().st_ctime < SLOW:
        time.sleep(SLOW / 10)
    site.sweep(NOW)
    marks = found(site.home)
    assert marks.not_before
    assert marks.looked_at
    assert before <= marks.not_before <= marks.received_at <= marks.looked_at
    assert marks.received_at == marks.not_before


def test_durable_is_the_end_of_the_commit(site: Site) -> None:
    within: list[float] = []

    def slow(_employee: str) -> bool:  # asked inside the transaction
        time.sleep(SLOW)
        within.append(time.monotonic())
        return True

    site.known = slow  # type: ignore[method-assign]
    site.drop(right(departure(jti="1", txn="HR-1")))
    site.sweep()
    marks = found(site.home)
    assert within
    assert marks.durable_at
    assert marks.looked_at
    assert marks.durable_at - marks.looked_at >= timedelta(seconds=SLOW)


def test_a_notice_that_comes_again_keeps_the_marks_it_has(site: Site) -> None:
    token = right(departure(jti="1", txn="HR-1"))
    site.drop(token, "one")
    site.sweep()
    before = found(site.home)
    site.drop(token, "two")
    site.sweep(NOW + timedelta(seconds=5))
    assert found(site.home) == before
