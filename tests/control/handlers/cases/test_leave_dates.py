"""A leave date: approved beforehand, denied from its instant on by the rule alone, carried out by the agent."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from agent.control.offboarding.triggers import trigger_of
from agent.control.schedule import ScheduledActs
from agent.doctor.leave_checks import overdue
from agent.errors import ForbiddenError, RefusedError, UsageError
from agent.offboard.plan import Cause
from tests.control.offboarding.test_hr_intake import until
from tests.control.office import Office, notice, office_of
from tests.control.site import Site
from tests.sentences import en


def dated(office: Office, hours: float = 48, **how: object) -> str:
    """Open and approve the departure of `E1` with a leave date in *hours*; return it."""
    leave = (office.site.now() + timedelta(hours=hours)).isoformat()
    office.do("case.open", last_day="2099-12-31", effective=leave, **how)
    office.do("case.approve")
    return leave


def carry_out(office: Office) -> None:
    ScheduledActs(office.site, office.executor, tuple, lambda: None).step()


def test_until_the_leave_date_nothing_ends_and_from_it_on_everything_is_denied_with_nobody_awake(
    office: Office,
) -> None:
    dated(office)
    status = office.do("case.status")
    assert (status["step"], status["ended_at"]) == ("scheduled", None)
    assert office.told == []
    before = office.verdict()
    assert before.allow
    assert before.until == office.site.lists.cases.get("E1").effective_at
    carry_out(office)
    assert office.do("case.status")["step"] == "scheduled"
    office.later(hours=48)
    assert office.verdict().rule == "departure"  # and nothing has been carried out
    assert office.do("case.status")["step"] == "scheduled"


def test_it_is_carried_out_once_and_counts_from_the_leave_date(office: Office, fresh: Site) -> None:
    dated(office)
    leave = office.site.lists.cases.get("E1").effective_at
    office.later(hours=50)
    for _ in range(2):
        carry_out(office)
    case = office.site.lists.cases.get("E1")
    assert (case.step, case.ended_at) == ("approved", leave)
    [entry] = fresh.entries(act="case.carry-out")
    assert entry["args"]["grants_ended"] == [office.grant]  # type: ignore[index]
    assert entry["actor"]["pid"] == os.getpid()  # type: ignore[index]
    [ended] = office.site.lists.grants.of_person("E1")
    assert ended["ended_by"] == "E8"  # who approved it, for nobody is there
    assert [told[0] for told in office.told] == ["C000001"]
    found = trigger_of(office.site, "C000001")
    assert (found.cause, found.at) == (Cause.DEPARTURE, leave)


def test_what_came_due_while_no_agent_ran_is_carried_out_at_the_next_start(fresh: Site) -> None:
    with office_of(fresh) as office:
        dated(office, hours=3 / 3600)
        leave = office.site.lists.cases.get("E1").effective_at
        assert office.do("case.status")["step"] == "scheduled"
    until(lambda: datetime.now(UTC) > leave)
    fresh.start_control()
    with fresh.client() as agent:
        until(lambda: agent.call("case.status", person="E1")["step"] == "approved")
        ended = agent.call("case.status", person="E1")["ended_at"]
    assert datetime.fromisoformat(ended) == leave


def test_a_past_leave_date_ends_access_with_the_approval(office: Office) -> None:
    dated(office, hours=-3)
    assert office.do("case.status")["step"] == "approved"
    assert office.told != []


def test_one_officer_brings_it_forward_to_now_and_it_is_carried_out_in_the_same_act(office: Office) -> None:
    dated(office)
    office.do("case.advance", to=(office.site.now() + timedelta(hours=3)).isoformat())
    with pytest.raises(RefusedError, match=r"departure.leave-date-only-earlier"):
        office.do("case.advance", to=(office.site.now() + timedelta(hours=4)).isoformat())
    now = office.do("case.advance")
    assert (now["step"], now["grants_ended"], now["revoked"]) == ("approved", [office.grant], True)
    assert office.verdict().rule == "departure"


def test_taken_back_before_it_by_two_it_took_nothing_and_leaves_no_hold(office: Office) -> None:
    dated(office)
    office.do("case.withdraw", reason="stays")
    assert office.do("case.withdraw", officer="E9", reason="stays")["step"] == "withdrawn"
    assert office.holds == []
    office.later(hours=50)
    carry_out(office)
    assert office.verdict().allow
    assert office.told == []


def test_after_it_withdrawing_leaves_a_hold_as_rescinding_does(office: Office) -> None:
    dated(office)
    office.later(hours=48)
    carry_out(office)
    office.do("case.withdraw", reason="x")
    assert office.do("case.withdraw", officer="E9", reason="x")["step"] == "withdrawn"
    assert office.verdict().rule == "hold"


def test_nobody_but_the_agent_carries_it_out(office: Office) -> None:
    dated(office)
    office.later(hours=48)
    with pytest.raises(ForbiddenError, match=r"control.agent-carries-out-leave-dates"):
        office.do("case.carry-out")


def test_without_an_offset_it_is_an_instant_of_the_site_and_a_day_is_that_day_included(office: Office) -> None:
    for said, instant in (
        ("2099-12-31", "2099-12-31T16:00:00Z"),
        ("2099-12-31T12:00", "2099-12-31T04:00:00Z"),
        ("2099-12-31T12:00+00:00", "2099-12-31T12:00:00Z"),
    ):
        assert office.do("case.open", last_day="2099-12-31", effective=said)["effective_at"] == instant
        office.do("case.rescind", reason="x")
    with pytest.raises(UsageError, match=r"control.day-or-time-invalid.*effective"):
        office.do("case.open", last_day="2099-12-31", effective="noon")


def test_who_is_to_leave_approves_until_then_and_nobody_after_it(office: Office) -> None:
    leave = (office.site.now() + timedelta(hours=48)).isoformat()
    office.do("case.open", "E2", last_day="2099-12-31", effective=leave)
    office.do("case.approve", "E2")
    for person in ("E1", "E3"):
        office.do("case.open", person, last_day="2099-12-31")
    assert office.do("case.approve", "E3", by="E2")["step"] == "approved"
    office.later(hours=48)
    with pytest.raises(RefusedError, match=r"rules.person-leaving.*E2"):
        office.do("case.approve", by="E2")


def test_an_administrator_is_confirmed_beforehand_or_waits_for_the_second_officer_at_the_leave_date(
    administrator: Office,
) -> None:
    dated(administrator)
    assert [step["event"] for step in administrator.do("case.status")["next"]] == ["confirm"]
    administrator.later(hours=48)
    carry_out(administrator)
    assert administrator.do("case.status")["step"] == "confirmation"
    assert trigger_of(administrator.site, "C000001").waits
    assert administrator.do("case.confirm", officer="E9")["step"] == "approved"


def test_a_departure_overtakes_a_transfer_at_its_leave_date_and_not_before(office: Office) -> None:
    office.approved(kind="transfer", department="archive")
    dated(office)
    assert [case["kind"] for case in office.do("case.list", person="")] == ["transfer", "resignation"]
    office.later(hours=48)
    carry_out(office)
    assert [case["kind"] for case in office.do("case.list", person="")] == ["resignation"]


def test_the_personnel_system_says_at_once_or_sooner_and_never_later(office: Office) -> None:
    dated(office)
    later = (office.site.now() + timedelta(hours=72)).isoformat()
    assert notice(office, "E2", effective=later)["step"] == "scheduled"
    sooner = (office.site.now() + timedelta(hours=2)).isoformat()
    assert notice(office, "E2", effective=sooner)["step"] == "scheduled"
    assert office.site.lists.cases.get("E1").effective_at == office.site.now().fromisoformat(sooner)
    now = notice(office, "E2")
    assert (now["step"], now["revoked"]) == ("approved", True)


def test_a_notice_with_a_leave_date_is_carried_out_then(office: Office) -> None:
    later = (office.site.now() + timedelta(hours=72)).isoformat()
    assert notice(office, "E2", effective=later, batch="2026-11", kind="layoff")["step"] == "scheduled"
    assert office.told == []
    office.later(hours=72)
    carry_out(office)
    assert office.told != []
    assert office.do("case.status")["batch"] == "2026-11"


def test_a_leave_date_that_nobody_carries_out_is_a_finding(office: Office) -> None:
    dated(office)
    office.later(hours=48, seconds=30)
    assert list(overdue(office.site.lists, office.site.now())) == []
    office.later(seconds=60)
    [found] = overdue(office.site.lists, office.site.now())
    assert (found.state, "leave date of `E1` (C000001)" in en(found.text)) == ("serious", True)
    carry_out(office)
    assert list(overdue(office.site.lists, office.site.now())) == []
