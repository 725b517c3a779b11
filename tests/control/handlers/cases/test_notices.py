"""The personnel system brings a notice, which opens a case and approves it in one."""

import pytest

from agent.errors import ForbiddenError, RefusedError
from rules.offboarding.vocabulary import CaseDuty
from tests.control.office import OUT, STRANGER_PID, Office, notice, office_of, out
from tests.control.site import Site


@pytest.mark.parametrize("how", OUT)
def test_an_approver_in_the_personnel_system_who_is_out_of_office_does_not_count(office: Office, how: str) -> None:
    out(office, "E2", how)
    with pytest.raises(RefusedError, match=r"control.no-approver-in-office.*E2"):
        notice(office, "E2")
    assert notice(office, "E2", "E3")["step"] == "approved"
    assert [place["by"] for place in office.do("case.show")["approvals"]] == ["E3"]


def test_a_notice_of_the_personnel_system_opens_and_approves_in_one(fresh: Site) -> None:
    with office_of(fresh, "state") as state:
        for approvers, said in (
            (["E2"], r"departure.too-few-approvers.*required=2"),
            (["E2", "E1"], r"departure.own-case"),
            (["E2", "E2"], r"departure.already-approved.*E2"),
        ):
            with pytest.raises(RefusedError, match=said):
                notice(state, *approvers)
        with pytest.raises(RefusedError, match=r"registry.not-found.*common.person.*E77"):
            notice(state, "E2", "E3", person="E77")
        assert state.do("case.list", person="", all=True) == []
        result = notice(state, "E2", "E3")
        assert (result["step"], result["revoked"]) == ("approved", True)
        assert state.verdict().rule == "departure"
        again = notice(state, "E4", "E5")
        assert (again["already"], again["case"]) == (True, "C000001")
        assert len(state.told) == 1
        assert state.do("case.show")["reference"] == "HR-7"


def test_a_notice_for_a_case_that_an_officer_opened_brings_its_number_with_it(office: Office) -> None:
    office.do("case.open", last_day="2099-12-31")
    assert notice(office, "E2")["step"] == "approved"
    assert office.do("case.show")["reference"] == "HR-7"


def test_what_a_notice_says_of_the_class_and_the_cooling_off_period_stands_in_the_case_and_shortens_nothing(
    fresh: Site,
) -> None:
    first, second = "2028-12-31T16:00:00Z", "2029-12-31T16:00:00Z"
    with office_of(fresh, "state") as state:
        told = notice(state, "E2", "E3", **{"class": "核心", "cooling_off_until": first})
        duties = [one["duty"] for one in told["owed"]]
        assert (told["cooling_off_until"], "cooling-off" in duties, "measures" in duties) == (first, False, True)
        shown = state.do("case.show")
        assert (shown["printed_class"], shown["needs_period"], shown["period"]["by"]) == ("核心", True, "hr")
        assert state.verdict().rule == "cooling-off"
        longer = notice(state, "E2", "E3", cooling_off_until=second)
        assert (longer["cooling_off_until"], longer["already"], len(state.told)) == (second, True, 1)
        for shorter in (first, "2026-01-01"):
            assert notice(state, "E2", "E3", cooling_off_until=shorter)["cooling_off_until"] == second
        assert state.do("case.show")["printed_class"] == "核心"
        with pytest.raises(RefusedError, match=r"departure.period-too-short"):
            state.do("case.cool-off", until=first)
        assert notice(state, "E2", "E3", person="E4", cooling_off_until="2026-01-01")["cooling_off_until"] is None
        assert "cooling-off" in str(state.do("case.show", "E4")["owed"])


@pytest.mark.parametrize(("came", "opened"), [("resignation", "transfer"), ("transfer", "resignation")])
def test_a_notice_of_the_other_sort_is_carried_out_as_what_it_says(office: Office, came: str, opened: str) -> None:
    office.do(
        "case.open", last_day="2099-12-31", kind=opened, **({"post": "archivist"} if opened == "transfer" else {})
    )
    assert notice(office, "E2", kind=came)["case"] == "C000002"
    assert [(case["kind"], case["step"], case["owed"]) for case in office.do("case.list", person="", all=True)] == [
        (opened, "rescinded", []),
        (came, "approved", [{"duty": "cooling-off", "text": CaseDuty.COOLING_OFF.text.to_json()}]),
    ]


def test_nobody_at_the_socket_can_bring_a_notice(office: Office) -> None:
    with pytest.raises(ForbiddenError, match=r"control.agent-accepts-notices"):
        notice(office, "E2", pid=STRANGER_PID)
