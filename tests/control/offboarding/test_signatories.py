"""Who signed and who wrote it down, from a case of the registry or a notice of the personnel system."""

from datetime import UTC, date, datetime
from typing import Any

from agent.control.offboarding.signatories import of_case, of_notice
from agent.offboard.intake.notice import HrEvent, HrNotice, SignedApproval
from rules.offboarding.case import Approval, Approver, CaseRemark, OffboardingCase
from rules.offboarding.vocabulary import CaseKind
from rules.text import Text

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SAID = "2026-03-02T12:00:00.000000Z"
TITLE = Text("head", "部长")


def case(**more: Any) -> OffboardingCase:
    made: dict[str, Any] = {
        "person": "E1", "kind": CaseKind.RESIGNATION, "last_day": date(2026, 3, 2), "noticed_at": NOON,
        "opened_by": "E8", "chain": (Approver("head", TITLE),), "approved_at": NOON,
    }  # fmt: skip
    return OffboardingCase(**{**made, **more})


def notice(approvers: list[dict[str, Any]], *signed: SignedApproval) -> HrNotice:
    details = {"kind": "resignation", "approvers": approvers}
    return HrNotice(
        "https://hr", "1", "hr#1", NOON, NOON, "HR-1", "E1", HrEvent.DEPARTURE_APPROVED, details, signed, {}, late=False
    )


def test_what_the_signer_wrote_down_himself_was_signed_then_and_a_form_nobody_knows_when() -> None:
    approvals = (Approval("head", "E2", NOON, "yes", "E2"), Approval("deputy", "E3", NOON, "", "E8"))
    own, typed = of_case(case(approvals=approvals))
    assert (own["signed"]["at"], own["written"]) == (SAID, {"by": "E2", "at": SAID})
    assert own["signed"]["title"] == {"en": "head", "zh": "部长"}
    assert (typed["signed"]["at"], typed["signed"]["title"], typed["written"]["by"]) == (None, None, "E8")


def test_an_approval_from_before_that_was_kept_has_nobody_who_wrote_it_down() -> None:
    [one] = of_case(case(approvals=(Approval("head", "E2", NOON, "yes"),)))
    assert (one["signed"]["at"], one["written"]) == (None, None)


def test_a_kind_without_approvals_is_the_word_of_who_opened_it_and_a_second_officer_is_named() -> None:
    confirmed = case(chain=(), confirmation=CaseRemark("E9", NOON))
    assert [(one["signed"]["by"], one["signed"]["role"]) for one in of_case(confirmed)] == [
        ("E8", "officer"),
        ("E9", "confirmation"),
    ]


def test_who_confirms_by_having_signed_is_named_once() -> None:
    vouched = case(approvals=(Approval("head", "E2", NOON, "", "hr"),), confirmation=CaseRemark("E2", NOON))
    assert len(of_case(vouched)) == 1


def test_the_opinion_of_the_notice_stands_beside_the_signature_that_was_checked() -> None:
    at = NOON.timestamp()
    named = [{"role": "head", "by": "E2", "at": at, "opinion": "agreed"}, {"role": "x", "by": "E3", "at": at}]
    [one] = of_notice(notice(named, SignedApproval("hr#E2", "部长", "E2", NOON)), NOON)
    assert one["signed"] == {
        "by": "E2", "role": "部长", "title": None, "at": SAID, "clock": "personnel",
        "opinion": "agreed", "key": "hr#E2",
    }  # fmt: skip
    assert one["written"] == {"by": "hr", "at": SAID}


def test_whom_a_notice_only_names_has_no_key() -> None:
    named = [{"role": "head", "by": "E2", "at": NOON.timestamp(), "opinion": "agreed"}]
    [one] = of_notice(notice(named), NOON)
    assert (one["signed"]["by"], one["signed"]["opinion"], one["signed"]["key"]) == ("E2", "agreed", None)
