"""A denied person may ask, and learns of their own denials and whom to ask; nothing is given by it."""

from datetime import timedelta
from typing import Any

import pytest

from agent.control.request_watch import RequestWatch
from agent.errors import ForbiddenError, RefusedError
from agent.registry.repositories import proposals
from agent.registry.repositories.proposals import MOST_REQUESTS
from rules.model import Level
from tests.control.test_two_hands import SECURITY, SYSTEM, Desk, alone, desk  # noqa: F401 - fixtures
from tests.sentences import en

ASKER = ("E2", 62_102)
HEAD = ("E3", 62_103)


@pytest.fixture
def asking(desk: Desk) -> Desk:  # noqa: F811
    with desk.office.services.registry.change(desk.office.site.now()) as change:
        for person, uid in (ASKER, HEAD):
            change.accounts.add(uid, person)
        change.people.set("E2", department="rd")
    return desk


def ask(desk: Desk, **given: Any) -> str:  # noqa: F811
    answer = desk.person("request.add", ASKER, **{"area": "plans", "reason": "项目", **given})
    return str(answer["proposal"])


def test_what_somebody_asks_for_gives_nothing_until_two_officers_have_acted(asking: Desk) -> None:
    number = ask(asking)
    assert not asking.office.verdict("E2").allow
    first = asking.call("proposal.confirm", SECURITY, proposal=number)
    assert (first["proposal"], first["waiting"]) == (number, True)
    assert not asking.office.verdict("E2").allow
    with pytest.raises(ForbiddenError):
        asking.call("proposal.confirm", SECURITY, proposal=number)
    asking.call("proposal.confirm", SYSTEM, proposal=number)
    assert asking.office.verdict("E2").allow
    [row] = asking.call("proposal.list", all=True)
    assert (row["requested_by"], row["proposed_by"], row["ended_by"]) == ("E2", "E8", "E7")


def test_it_goes_to_the_head_of_the_department_first(asking: Desk) -> None:
    asking.call("person.set", person="E3", heads="rd")
    number = ask(asking)
    with pytest.raises(RefusedError, match=r"control.support-required-first.*E3"):
        asking.call("proposal.confirm", SECURITY, proposal=number)
    with pytest.raises(ForbiddenError):
        asking.person("request.support", ASKER, proposal=number)
    [waits] = asking.person("request.mine", HEAD)["to_support"]
    assert (waits["person"], waits["area"]) == ("E2", "plans")
    asking.person("request.support", HEAD, proposal=number)
    assert asking.call("proposal.confirm", SECURITY, proposal=number)["waiting"]
    assert asking.entry(act="request.support")["actor"]["person"] == "E3"


def test_nobody_takes_up_what_they_asked_for_themselves(asking: Desk) -> None:
    number = str(asking.person("request.add", SECURITY, area="plans", reason="x")["proposal"])
    with pytest.raises((ForbiddenError, RefusedError)):
        asking.call("proposal.confirm", SECURITY, proposal=number)
    assert not asking.office.verdict("E8").allow


def test_a_system_administrator_does_not_take_up_what_only_a_security_officer_proposes(asking: Desk) -> None:
    with pytest.raises(ForbiddenError, match=r"control.role-may-not-propose"):
        asking.call("proposal.confirm", SYSTEM, proposal=ask(asking))


def test_who_asks_is_the_person_of_the_account_and_of_the_login(asking: Desk) -> None:
    for who, login in ((("?", 62_190), None), (ASKER, HEAD[1]), (ASKER, 0)):
        with pytest.raises(ForbiddenError):
            asking.person("request.add", who, login=login, area="plans", reason="x")


def test_how_much_one_person_may_have_waiting_is_bounded(asking: Desk) -> None:
    with asking.office.services.registry.change(asking.office.site.now()) as change:
        for number in range(4):
            change.rooms.add(f"r{number}", level=Level.SECRET, domain="state")
    for number in range(3):
        ask(asking, area=f"r{number}")
    with pytest.raises(RefusedError, match=r"registry.already-requested"):
        ask(asking, area="r0")
    with pytest.raises(RefusedError, match=r"registry.too-many-own-requests"):
        ask(asking, area="r3")
    assert len(asking.call("proposal.list")) == 3


def test_requests_never_take_the_places_of_proposals_and_officers_hear_that_they_are_full(
    asking: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposals, "MOST", 2)  # officers' places, which requests do not take
    office, watch = asking.office, RequestWatch(asking.office.services)
    with office.services.registry.change(office.site.now()) as change:
        for number in range(MOST_REQUESTS // 3):
            change.people.add(f"A{number}", department="rd" if number % 3 else "it")
            for place in ("r0", "r1", "r2"):
                if not number:
                    change.rooms.add(place, level=Level.SECRET, domain="state")
                change.proposals.ask(
                    "grant.add", {"person": f"A{number}", "area": place, "reason": "x"}, would={}, person=f"A{number}",
                    uid=62_200 + number, login_uid=None, lapses=office.site.now() + timedelta(days=1),
                )  # fmt: skip
    with pytest.raises(RefusedError, match=r"registry.too-many-requests"):
        ask(asking)
    assert asking.call("grant.add", person="E3", area="plans", reason="x")["waiting"]
    watch.step()
    watch.step()
    [entry] = asking.site_entries(kind="over-budget")
    assert (entry["requests"], entry["department"]) == (MOST_REQUESTS, "rd")
    [alarm] = office.site.facts.open_alarms()
    assert "department `rd`" in en(alarm.text)
    [row] = [row for row in asking.call("proposal.list") if row["requested_by"] == "A0"][:1]
    asking.call("proposal.refuse", proposal=row["id"], reason="x")
    assert ask(asking)


def test_how_often_one_may_have_the_log_read_is_bounded(asking: Desk) -> None:
    for _ in range(6):
        asking.person("request.mine", ASKER)
    with pytest.raises(RefusedError, match=r"control.query-rate-exceeded"):
        asking.person("request.mine", ASKER)
    assert asking.person("request.mine", HEAD)["person"] == "E3", "the budget is each account's own"


def test_they_see_their_own_denials_and_no_others(asking: Desk) -> None:
    asking.denied("E2", "/srv/plans/own.txt")
    asking.denied("E1", "/srv/plans/other.txt")
    found = asking.person("request.mine", ASKER)
    assert [row["path"] for row in found["denials"]] == ["/srv/plans/own.txt"]
    assert "other" not in str(found)
    assert set(found["denials"][0]) <= {"seq", "time", "action", "area", "room", "path", "ask"}
