"""Who approves a departure, in which order, and what the last approval ends."""

from typing import Any

import pytest

from agent.errors import RefusedError
from tests.control.office import Office
from tests.control.site import Site


def test_the_last_approval_ends_all_access_in_its_own_transaction_and_is_told_when_acknowledged(
    office: Office, fresh: Site
) -> None:
    assert office.verdict().allow
    opened = office.do("case.open", last_day="2099-12-31")
    assert (opened["case"], opened["step"]) == ("C000001", "notice")
    assert office.verdict().allow
    assert office.told == []
    result = office.do("case.approve")
    assert (result["step"], result["grants_ended"], result["revoked"]) == ("approved", [office.grant], True)
    assert office.verdict().rule == "departure"
    assert office.told == [("C000001", result["epoch"])]
    assert office.verdict("E2").rule == "grant"
    [entry] = fresh.entries(act="case.approve")
    assert entry["epoch"] == result["epoch"]
    assert "lost" not in entry
    assert entry["args"] == {
        "person": "E1", "case": "C000001", "step": "approved", "grants_ended": ["G000001"], "circles_left": [],
    }  # fmt: skip


def test_five_approve_in_order_each_once_and_none_of_them_leaves(company: Office) -> None:
    company.do("case.open", last_day="2099-12-31")
    for by, role in (("E2", "部门部长"), ("E3", "administration"), ("E4", ""), ("E5", "vice president in charge")):
        company.do("case.approve", by=by, **({"as": role} if role else {}))
    for by, said in (
        ("E5", r"departure.already-approved.*E5"),
        ("E1", r"departure.own-case"),
        ("E77", r"registry.not-found.*common.person.*E77"),
    ):
        with pytest.raises(RefusedError, match=said):
            company.do("case.approve", by=by)
    with pytest.raises(RefusedError, match=r"departure.approval-out-of-order.*general manager.*head"):
        company.do("case.approve", by="E6", **{"as": "head"})
    assert company.told == []
    assert company.do("case.status")["step"] == "approval"
    company.do("case.approve", by="E6", opinion="同意")
    assert [case for case, _ in company.told] == ["C000001"]
    shown = company.do("case.show")
    assert [(a["role"], a["by"]) for a in shown["approvals"]] == [
        ("head", "E2"), ("administration", "E3"), ("administration_head", "E4"), ("deputy", "E5"),
        ("general_manager", "E6"),
    ]  # fmt: skip
    assert shown["approvals"][-1]["opinion"] == "同意"


def test_an_officer_does_nothing_in_his_own_case_not_even_in_the_name_of_another(company: Office) -> None:
    with pytest.raises(RefusedError, match=r"departure.own-case"):
        company.do("case.open", "E8", last_day="2099-12-31")
    company.do("case.open", "E8", "E9", last_day="2099-12-31")
    moves: list[tuple[str, dict[str, Any]]] = [
        ("case.approve", {"by": "E2"}),
        ("case.return", {"by": "E2", "reason": "x"}),
        ("case.add-line", {"line": "x", "what": "x", "to": "x"}),
        ("case.rescind", {"reason": "x"}),
        ("case.hand-over", {"by": "E2", "line": "keys"}),
        ("case.educate", {"by": "E2"}),
        ("case.exam", {"by": "E2"}),
        ("case.sign", {"by": "E2", "document": "pledge"}),
        ("case.cool-off", {"by": "E2", "none": True, "reason": "x"}),
        ("case.papers", {"by": "E2"}),
        ("case.close", {"by": "E2"}),
        ("case.restore", {"grant": "G000001"}),
    ]
    for op, args in moves:
        with pytest.raises(RefusedError, match=r"departure.own-case"):
            company.do(op, "E8", "E8", **args)
    assert company.do("case.status", "E8")["step"] == "notice"


def test_what_was_sent_back_is_handed_in_again(company: Office) -> None:
    company.do("case.open", last_day="2099-12-31")
    company.do("case.approve", by="E2")
    company.do("case.return", by="E3", reason="form incomplete")
    with pytest.raises(RefusedError, match=r"departure.event-not-possible"):
        company.do("case.approve", by="E2")
    assert company.do("case.open", last_day="2099-11-30")["step"] == "notice"
    assert [a["by"] for a in company.do("case.show")["approvals"]] == [None] * 5
    with pytest.raises(RefusedError, match=r"registry.case-in-progress.*C000001.*E1"):
        company.do("case.open", last_day="2099-12-31")


@pytest.mark.parametrize("kind", ["unfit", "unauthorised"])
def test_some_kinds_end_access_when_the_case_is_opened(company: Office, kind: str) -> None:
    result = company.do("case.open", last_day="2026-01-01", kind=kind)
    assert result["step"] == "approved"
    assert company.told == [("C000001", result["epoch"])]
    assert company.verdict().rule == "departure"


def test_somebody_who_left_approves_nothing_any_more(company: Office) -> None:
    company.do("case.open", "E2", last_day="2026-01-01", kind="unfit")
    company.do("case.open", last_day="2099-12-31")
    with pytest.raises(RefusedError, match=r"rules.person-leaving.*E2"):
        company.do("case.approve", by="E2")
    with company.services.registry.change(company.site.now()) as change:
        change.people.set("E3", active=False)
    with pytest.raises(RefusedError, match=r"rules.person-inactive.*E3"):
        company.do("case.approve", by="E3")
