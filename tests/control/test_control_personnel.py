"""What the personnel system says, and what becomes of it: real tokens, real keys, the real control process."""

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from control_site import Site
from test_control_cases import Office, office_of

from agent.errors import Unreachable
from agent.offboard import database, keys, sender
from agent.offboard.inbox import Hooks, Inbox
from agent.offboard.notice import Notice

EVENING = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)  # the next day at a site eight hours ahead


def until(come: Callable[[], Any], patience: float = 30.0) -> Any:
    """Ask again and again, and return what came."""
    deadline = time.monotonic() + patience
    while not (found := come()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
    return found


@pytest.fixture
def private(fresh: Site) -> Path:
    """Pin the keys of a personnel system whose notices `E2` and `E3` approve; return its private keys."""
    folder = fresh.home.root.parent / "keys"
    made = sender.make_keys(
        folder, audience="urn:shoumi:agent:test", iss="https://hr.example", approvers=[("a", "E2"), ("b", "E3")]
    )
    shutil.copy(made, keys.path(fresh.home.root))
    return folder


def drop(site: Site, private: Path, at: datetime, **how: Any) -> str:
    """Have a notice about `E1`, approved *at*, delivered; return the name of the file."""
    until((site.home.root / "spool" / "new").is_dir)
    return sender.send_test(site.home.root, "E1", private, at, **how).file.name


def filed(site: Site, name: str) -> Any:
    """Wait until the delivery is put away, and return where, and why."""

    def look() -> Any:
        return [(entry["folder"], entry["outcome"]) for entry in site.entries(kind="hr-event", file=name)]

    [found] = until(look)
    return found


def cases(site: Site) -> list[dict[str, Any]]:
    try:
        with site.client() as client:
            return list(client.stream("case.list", all=True))
    except Unreachable:
        return []


def people(site: Site) -> None:
    with site.client() as client:
        for name in ("E1", "E2", "E3"):
            client.call("person.add", person=name)


def test_without_a_last_day_it_is_the_day_of_the_approval_by_the_calendar_of_the_site(
    fresh: Site, private: Path
) -> None:
    people(fresh)
    assert filed(fresh, drop(fresh, private, EVENING)) == ("accepted", "late")
    [case] = until(lambda: cases(fresh))
    assert (case["last_day"], case["step"]) == ("2026-03-02", "approved")


def test_with_a_last_day_it_is_that(fresh: Site, private: Path) -> None:
    people(fresh)
    drop(fresh, private, EVENING, last_day=datetime(2026, 4, 30, tzinfo=UTC).date())
    [case] = until(lambda: cases(fresh))
    assert case["last_day"] == "2026-04-30"


def rescinded(office: Office) -> datetime:
    """Approve a departure of `E1`, have two officers take it back, and return when that was complete."""
    office.approved()
    office.do("case.rescind", reason="wrong person")
    office.do("case.rescind", officer="E9", reason="so it is")
    assert office.do("case.status")["step"] == "rescinded"
    return office.desk.lists.case("E1").rescissions[-1].at


def admitted(site: Site) -> list[tuple[str, list[str]]]:
    """Sweep the spool as the agent does, and return what became of each file, and of whom it would have spoken."""
    handed: list[Notice] = []
    hooks = Hooks(lambda _person: True, handed.append, lambda _received: None, lambda _word, _text: None)
    inbox = Inbox(site.home.root, hooks)
    try:
        swept = [*inbox.sweep(datetime.now(UTC)), *inbox.sweep(datetime.now(UTC))]
        return [(received.reason, [notice.subject for notice in handed]) for received in swept]
    finally:
        inbox.close()


def test_what_was_approved_before_a_rescission_ends_nothing_any_more_and_a_new_approval_does(
    fresh: Site, private: Path
) -> None:
    until((fresh.home.root / "spool" / "new").is_dir)
    with office_of(fresh) as office:
        back = rescinded(office)
        drop(fresh, private, back - timedelta(seconds=1))
        assert admitted(fresh) == [("superseded", [])]
    fresh.start_control()
    new = drop(fresh, private, datetime.now(UTC) + timedelta(seconds=1))
    assert filed(fresh, new) == ("accepted", "accepted")
    [old, again] = until(lambda: found if len(found := cases(fresh)) == 2 else None)
    assert (old["step"], again["step"], again["case"]) == ("rescinded", "approved", "C000002")


def test_a_rescission_that_the_inbox_never_learned_of_is_known_to_it_after_the_next_start(
    fresh: Site, private: Path
) -> None:
    until((fresh.home.root / "spool" / "new").is_dir)
    with office_of(fresh) as office:
        back = rescinded(office)
    database.path(fresh.home.root).unlink()  # as if the agent had died between the act and this
    fresh.start_control()
    assert filed(fresh, drop(fresh, private, back - timedelta(seconds=1))) == ("quarantine", "superseded")
    assert [case["step"] for case in cases(fresh)] == ["rescinded"]
