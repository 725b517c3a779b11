"""A notice of another kind than the case that runs: what it ends decides which of the two goes on."""

from datetime import timedelta
from typing import Any

import pytest

from agent.errors import RefusedError
from rules.offboarding.vocabulary import CaseDuty
from tests.control.handlers.cases.test_leave_dates import carry_out
from tests.control.office import Office, notice


def ahead(office: Office, hours: float) -> str:
    return (office.site.now() + timedelta(hours=hours)).isoformat()


def standing(office: Office) -> list[tuple[Any, Any]]:
    return [(case["kind"], case["step"]) for case in office.do("case.list", person="", all=True)]


def moved_to(office: Office) -> tuple[Any, Any]:
    dossier = office.site.lists.people.dossier("E1")
    return dossier["department"], dossier["post"]


def test_a_transfer_at_once_is_carried_out_beside_a_resignation_that_is_to_come(office: Office) -> None:
    notice(office, "E2", effective=ahead(office, 48), reference="HR-1")
    leave = office.site.lists.cases.get("C000001").effective_at
    told = notice(office, "E2", kind="transfer", department="D2", post="clerk", reference="HR-2")
    assert (told["case"], told["step"], moved_to(office)) == ("C000002", "approved", ("D2", "clerk"))
    assert standing(office) == [("resignation", "scheduled"), ("transfer", "approved")]
    assert office.site.lists.cases.get("C000001").effective_at == leave
    office.later(hours=48)
    carry_out(office)
    assert standing(office) == [("resignation", "approved"), ("transfer", "closed")]
    assert office.verdict().rule == "departure"


def test_a_transfer_to_come_before_a_resignation_is_carried_out_and_the_resignation_too(office: Office) -> None:
    notice(office, "E2", effective=ahead(office, 48), reference="HR-1")
    told = notice(office, "E2", kind="transfer", post="clerk", effective=ahead(office, 24), reference="HR-2")
    assert (told["case"], told["step"]) == ("C000002", "scheduled")
    office.later(hours=24)
    carry_out(office)
    assert standing(office) == [("resignation", "scheduled"), ("transfer", "approved")]
    assert moved_to(office)[1] == "clerk"
    office.later(hours=24)
    carry_out(office)
    assert standing(office) == [("resignation", "approved"), ("transfer", "closed")]


def test_long_leave_at_once_is_long_leave_and_no_transfer_that_was_to_come(office: Office) -> None:
    notice(office, "E2", kind="transfer", department="D2", effective=ahead(office, 48), reference="HR-1")
    told = notice(office, "E2", kind="long-leave", reference="HR-2")
    assert (told["kind"], told["step"], told["revoked"]) == ("long-leave", "approved", True)
    assert standing(office) == [("transfer", "closed"), ("long-leave", "approved")]
    office.later(hours=48)
    carry_out(office)
    assert moved_to(office)[0] == "rd"
    assert [case.id for case in office.site.lists.cases.find("E1") if case.ended_at] == ["C000002"]


@pytest.mark.parametrize("dated", [True, False])
def test_a_death_takes_the_place_of_a_resignation_that_is_to_come_and_owes_no_decision(
    office: Office, *, dated: bool
) -> None:
    """Whatever date the notice names: the kind ends access at once."""
    notice(office, "E2", effective=ahead(office, 48), reference="HR-1")
    later = {"effective": ahead(office, 72)} if dated else {}
    told = notice(office, "E2", kind="death", reference="HR-2", **later)
    assert (told["kind"], told["step"], told["revoked"]) == ("death", "approved", True)
    assert CaseDuty.COOLING_OFF not in [one["duty"] for one in told["owed"]]
    assert standing(office) == [("resignation", "closed"), ("death", "approved")]
    assert office.verdict().rule == "departure"


def test_a_later_word_of_another_kind_takes_over_and_puts_nothing_off(office: Office) -> None:
    notice(office, "E2", effective=ahead(office, 24), reference="HR-1")
    leave = office.site.lists.cases.get("C000001").effective_at
    notice(office, "E2", kind="layoff", effective=ahead(office, 48), reference="HR-2")
    assert standing(office) == [("resignation", "closed"), ("layoff", "scheduled")]
    assert office.site.lists.cases.get("E1").effective_at == leave
    notice(office, "E2", kind="dismissal", effective=ahead(office, 2), reference="HR-3")
    assert office.site.lists.cases.get("E1").effective_at < leave
    office.do("case.rescind", reason="x")
    office.do("case.rescind", officer="E9", reason="x")
    office.later(hours=72)
    assert office.verdict().allow  # what was overtaken before it ended anything ends nothing afterwards


def test_who_is_unfit_is_so_at_once_and_still_leaves_the_unit_when_that_was_to_be(office: Office) -> None:
    notice(office, "E2", effective=ahead(office, 48), reference="HR-1")
    assert notice(office, "E2", kind="unfit", reference="HR-2")["step"] == "approved"
    assert standing(office) == [("resignation", "scheduled"), ("unfit", "approved")]
    office.later(hours=48)
    carry_out(office)
    assert standing(office) == [("resignation", "approved"), ("unfit", "closed")]


def test_who_was_found_unfit_leaves_the_unit_by_a_case_of_its_own(office: Office) -> None:
    notice(office, "E2", kind="unfit", reference="HR-1")
    told = notice(office, "E2", reference="HR-2")
    assert (told["case"], told["step"], told["overtakes"]) == ("C000002", "approved", "C000001")
    assert notice(office, "E2", kind="unfit")["case"] == "C000002"
    assert office.verdict().rule == "departure"


def test_of_who_has_left_nothing_more_is_ended_by_any_kind(office: Office) -> None:
    notice(office, "E2")
    for kind in ("transfer", "unfit", "death", "dismissal"):
        told = notice(office, "E2", kind=kind)
        assert (told["already"], told["case"]) == (True, "C000001")


def test_a_transfer_to_elsewhere_is_another_transfer(office: Office) -> None:
    notice(office, "E2", kind="transfer", department="D2", reference="HR-1")
    assert notice(office, "E2", kind="transfer", department="D2")["already"]
    assert notice(office, "E2", kind="transfer", department="D3", reference="HR-2")["case"] == "C000002"
    assert moved_to(office)[0] == "D3"
    assert (standing(office)[0], office.verdict().rule) == (("transfer", "closed"), "departure")


def test_what_is_to_pass_later_waits_while_a_transfer_denies_and_gives_nothing_back(office: Office) -> None:
    notice(office, "E2", kind="transfer", department="D2", reference="HR-1")
    with pytest.raises(RefusedError, match=r"registry.case-in-progress.*C000001.*E1"):
        notice(office, "E2", kind="long-leave", effective=ahead(office, 48), reference="HR-2")
    assert (standing(office), office.verdict().rule) == ([("transfer", "approved")], "departure")


def test_too_few_approvers_overtake_nothing(office: Office) -> None:
    notice(office, "E2", effective=ahead(office, 48))
    with pytest.raises(RefusedError, match=r"departure.already-approved.*E2"):
        notice(office, "E2", "E2", kind="layoff")
    assert standing(office) == [("resignation", "scheduled")]


def test_what_nobody_approved_is_not_approved_as_another_kind(office: Office) -> None:
    office.do("case.open", last_day="2099-12-31")
    told = notice(office, "E2", kind="dismissal")
    assert (told["case"], told["kind"], told["step"]) == ("C000002", "dismissal", "approved")
    assert standing(office)[0] == ("resignation", "rescinded")
