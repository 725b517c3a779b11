"""Signatories of a revocation, for its receipt: who signed, and who recorded the signature.

Rules of this file: pure. *Signed*: the role, time and opinion of a person, by the clock of the system where they
signed. *Written*: who recorded it here, by socket identity, and when. If only the second is known, the first has no
time: the time of a signature on paper is unknown. A verified digital signature has the name of its key.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any

from agent.offboard.intake.notice import HrNotice
from agent.offboard.receipt.timeline import ClockName, written
from rules.offboarding.case import PERSONNEL, Approval, OffboardingCase

Signatory = Mapping[str, Any]
OFFICER, CONFIRMATION, ADVANCE = "officer", "confirmation", "advance"


def of_case(case: OffboardingCase) -> tuple[Signatory, ...]:
    """Return the signatories of *case* from the registry: its approvers, or its opener if it needs no approval."""
    titles = {place.role: place.title.to_json() for place in case.chain}
    signatories = [_approval(approval, titles.get(approval.role)) for approval in case.approvals]
    if not case.chain and case.approved_at:
        signatories.append(of_officer(case.opened_by, case.approved_at))
    if case.confirmation and all(approval["signed"]["by"] != case.confirmation.by for approval in signatories):
        signatories.append(
            of_officer(case.confirmation.by, case.confirmation.at, CONFIRMATION, case.confirmation.reason)
        )
    if case.advanced:
        signatories.append(of_officer(case.advanced.by, case.advanced.at, ADVANCE))
    return tuple(signatories)


def of_officer(by: str, at: datetime, role: str = OFFICER, opinion: str = "") -> Signatory:
    """Return an officer who decided and recorded it in one act."""
    return {"signed": _signed(by, role, at, opinion), "written": {"by": by, "at": written(at)}}


def by_hand(signatories: Iterable[Signatory], signed: AbstractSet[str]) -> tuple[Signatory, ...]:
    """Return those of *signatories* who acted here, in addition to those who *signed* in the personnel system."""
    return tuple(
        signatory
        for signatory in signatories
        if (signatory["signed"]["role"] == ADVANCE and signatory["signed"]["by"] != PERSONNEL)
        or (signatory["signed"]["role"] == CONFIRMATION and signatory["signed"]["by"] not in signed)
    )


def of_notice(notice: HrNotice, at: datetime) -> tuple[Signatory, ...]:
    """Return the signatories of *notice* in the personnel system; it was recorded here *at*.

    Where the site requires no approver signatures, the approvers named in the notice have no key.
    """
    named = {str(approval["by"]): approval for approval in notice.details.get("approvers", ())}
    down = {"by": PERSONNEL, "at": written(at)}
    signatures = [
        _signed(
            approval.person,
            approval.role,
            approval.at,
            str(named.get(approval.named or approval.person, {}).get("opinion", "")),
            clock=ClockName.PERSONNEL,
            key=approval.kid,
        )
        for approval in notice.approvals
    ] or [
        _signed(
            by,
            str(approval["role"]),
            datetime.fromtimestamp(approval["at"], UTC),
            str(approval.get("opinion", "")),
            clock=ClockName.PERSONNEL,
        )
        for by, approval in named.items()
    ]
    signatures = signatures or [_signed(PERSONNEL, PERSONNEL, notice.iat, clock=ClockName.PERSONNEL, key=notice.kid)]
    return tuple({"signed": signed, "written": down} for signed in signatures)


def _approval(approval: Approval, title: Mapping[str, str] | None) -> Signatory:
    own = approval.written_by == approval.by  # otherwise another person recorded a paper form
    signed = _signed(approval.by, approval.role, approval.at if own else None, approval.opinion, title)
    return {
        "signed": signed,
        "written": {"by": approval.written_by, "at": written(approval.at)} if approval.written_by else None,
    }


def _signed(
    by: str,
    role: str,
    at: datetime | None,
    opinion: str = "",
    title: Mapping[str, str] | None = None,
    *,
    clock: ClockName = ClockName.AGENT,
    key: str | None = None,
) -> dict[str, Any]:
    return {
        "by": by,
        "role": role,
        "title": None if title is None else dict(title),
        "at": written(at),
        "clock": str(clock),
        "opinion": opinion,
        "key": key,
    }
