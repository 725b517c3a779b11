"""Which cases of one person run beside each other, which takes another's place, and who brought a date forward."""

from dataclasses import replace

from rules.offboarding import machine, opening
from rules.offboarding.vocabulary import CaseKind
from tests.rules.offboarding.cases import DAY, NOW, approved, opened

LATER = NOW + 50 * DAY


def test_a_wider_case_may_be_opened_beside_a_narrower_one_that_has_nothing_left_to_decide() -> None:
    assert approved("company", CaseKind.TRANSFER).runs_beside(CaseKind.RESIGNATION)
    assert not opened("company", CaseKind.TRANSFER).runs_beside(CaseKind.RESIGNATION)  # it is still being decided


def test_a_narrower_one_may_until_the_leave_date_of_the_wider_one_has_come() -> None:
    assert approved("company", CaseKind.RESIGNATION, LATER).runs_beside(CaseKind.TRANSFER)
    assert not approved("company", CaseKind.RESIGNATION).runs_beside(CaseKind.TRANSFER)
    assert not opened("company", CaseKind.RESIGNATION).runs_beside(CaseKind.RETIREMENT)  # it reaches as far


def test_what_closed_a_case_is_told_by_its_instant_and_its_person() -> None:
    transfer = replace(approved("company", CaseKind.TRANSFER), id="C1")
    resignation = replace(approved("company", CaseKind.RESIGNATION), id="C2")
    closed = opening.overtake(transfer, CaseKind.RESIGNATION, "E9", NOW)
    assert resignation.overtook(closed)
    assert not resignation.overtook(transfer)  # it runs on
    assert not closed.overtook(closed)
    assert not resignation.overtook(replace(closed, person="E99"))
    later = opening.overtake(transfer, CaseKind.RESIGNATION, "E9", NOW + DAY)
    assert not resignation.overtook(later)


def test_only_whoever_brings_the_date_to_the_very_instant_ends_access_by_hand() -> None:
    case = approved("company", CaseKind.RESIGNATION, LATER)
    assert not case.ended_by_hand
    sooner = machine.advance(case, NOW + DAY, "E9", NOW)
    assert not machine.carry_out(sooner, (), NOW + DAY).ended_by_hand
    assert machine.advance(case, NOW, "E9", NOW).ended_by_hand
