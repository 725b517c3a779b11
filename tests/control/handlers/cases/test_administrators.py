"""An administrator leaves: access ends at once, and a second officer confirms the rest."""

import os

import pytest

from agent.errors import ForbiddenError, RefusedError
from tests.control.office import OUT, Office, notice, out
from tests.control.site import Site
from tests.sentences import en, zh


@pytest.mark.parametrize("how", OUT)
def test_an_officer_who_is_out_of_office_does_nothing_at_all(administrator: Office, fresh: Site, how: str) -> None:
    administrator.approved()
    assert administrator.do("case.status")["step"] == "confirmation"
    administrator.do("case.open", "E2", last_day="2099-12-31")
    out(administrator, "E9", how)
    for op, person in (("case.confirm", "E1"), ("case.approve", "E2"), ("case.rescind", "E1")):
        with pytest.raises(ForbiddenError, match=r"control.person-may-not-act.*E9"):
            administrator.do(op, person, "E9", **({"reason": "x"} if op == "case.rescind" else {}))
    assert administrator.do("case.status")["step"] == "confirmation"
    assert administrator.do("case.status", "E2")["step"] == "notice"
    assert [entry["act"] for entry in fresh.entries(outcome="forbidden")] == [
        "case.confirm", "case.approve", "case.rescind",
    ]  # fmt: skip
    assert administrator.do("case.approve", "E2")["step"] == "approved"


def test_an_administrator_loses_access_at_the_last_approval_and_the_case_asks_for_a_second_officer(
    administrator: Office,
) -> None:
    administrator.do("case.open", last_day="2099-12-31")
    result = administrator.do("case.approve")
    assert (result["step"], result["grants_ended"]) == ("confirmation", [administrator.grant])
    assert administrator.verdict().rule == "departure"
    status = administrator.do("case.status")
    assert [step["event"] for step in status["next"]] == ["confirm"]
    [flag, *_] = status["flags"]
    assert (en(flag), zh(flag)) == (
        "the person is an administrator (`security`): access has ended, processes run until a second officer confirms",
        "当事人是管理员（`security`）：权限已收回，进程待复核人确认后终止",
    )
    with pytest.raises(RefusedError, match=r"common.second-officer-needed.*E8"):
        administrator.do("case.confirm")
    with pytest.raises(RefusedError, match=r"departure.event-not-possible"):
        administrator.do("case.cool-off", none=True, reason="x")
    confirmed = administrator.do("case.confirm", officer="E9")
    assert (confirmed["step"], confirmed["revoked"]) == ("approved", True)
    assert administrator.told == [("C000001", result["epoch"]), ("C000001", confirmed["epoch"])]
    assert administrator.do("case.show")["confirmation"]["by"] == "E9"
    with pytest.raises(RefusedError, match=r"departure.event-not-possible"):
        administrator.do("case.confirm", officer="E9")


def test_who_writes_down_what_another_one_approved_is_not_the_second(administrator: Office) -> None:
    administrator.do("case.open", last_day="2099-12-31")
    administrator.do("case.approve", by="E2", paper="7")
    with pytest.raises(RefusedError, match=r"common.second-officer-needed.*E8"):
        administrator.do("case.confirm")
    assert administrator.do("case.confirm", officer="E9")["step"] == "approved"


@pytest.mark.parametrize("kind", ["resignation", "unauthorised"])
def test_two_approvers_inside_a_notice_are_the_two_and_one_is_one(administrator: Office, kind: str) -> None:
    assert notice(administrator, "E2", kind=kind)["step"] == "confirmation"
    assert notice(administrator, "E2")["already"]
    assert administrator.do("case.status")["step"] == "confirmation"
    later = notice(administrator, "E3")
    assert (later["step"], later["revoked"]) == ("approved", True)
    assert len(administrator.told) == 2


@pytest.mark.parametrize("kind", ["resignation", "unauthorised"])
def test_a_notice_with_two_approvers_waits_for_nobody(administrator: Office, kind: str) -> None:
    assert notice(administrator, "E2", "E3", kind=kind)["step"] == "approved"
    assert len(administrator.told) == 1
    assert administrator.site.lists.cases.get("E1").officers >= {"E3"}


def test_one_notice_takes_no_last_officer_of_a_role_out_of_office(last_officer: Office) -> None:
    with pytest.raises(RefusedError, match=r"control.last-officer-needs-second-source.*E1.*security-officer"):
        notice(last_officer, "E2", "E3")
    assert last_officer.verdict().allow, "it waits, and ends nothing meanwhile"
    with pytest.raises(RefusedError, match=r"control.last-officer-needs-second-source.*E1.*security-officer"):
        last_officer.do("hold.add", "E1", "nobody", os.getpid(), reason="hr HR-8")


@pytest.mark.parametrize("vouched", ["a case", "a hold"])
def test_with_the_act_of_another_officer_it_does(last_officer: Office, vouched: str) -> None:
    if vouched == "a case":
        last_officer.do("case.open", officer="E9", last_day="2099-12-31")
    else:
        last_officer.do("hold.add", officer="E9", reason="x")
    assert notice(last_officer, "E2", "E3")["step"] == "approved"
    assert not last_officer.verdict().allow
