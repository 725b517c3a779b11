"""Who signed, and who wrote it down: what a receipt says of those who wanted a revocation.

Rules of this file: pure. *Signed* is what a person stands for: role, time, opinion, on the clock of where they
signed. *Written* is who put it on record here, by their own socket identity, and when. Where only the second is known
the first has no time: nobody knows when a paper form was signed. Whose own signature was checked has the name of a key.
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
    """Return who approved *case* by what the registry holds: every approval, or who opened one that needs none."""
    titles = {place.role: place.title.to_json() for place in case.chain}
    found = [_approval(one, titles.get(one.role)) for one in case.approvals]
    if not case.chain and case.approved_at:
        found.append(of_officer(case.opened_by, case.approved_at))
    if case.confirmation and all(one["signed"]["by"] != case.confirmation.by for one in found):
        found.append(of_officer(case.confirmation.by, case.confirmation.at, CONFIRMATION, case.confirmation.reason))
    if case.advanced:
        found.append(of_officer(case.advanced.by, case.advanced.at, ADVANCE))
    return tuple(found)


def of_officer(by: str, at: datetime, role: str = OFFICER, opinion: str = "") -> Signatory:
    """Return an officer who decided and wrote it down in one act."""
    return {"signed": _signed(by, role, at, opinion), "written": {"by": by, "at": written(at)}}


def by_hand(found: Iterable[Signatory], signed: AbstractSet[str]) -> tuple[Signatory, ...]:
    """Return those of *found* who did something here, beside what those who *signed* in the personnel system did."""
    return tuple(
        one
        for one in found
        if (one["signed"]["role"] == ADVANCE and one["signed"]["by"] != PERSONNEL)
        or (one["signed"]["role"] == CONFIRMATION and one["signed"]["by"] not in signed)
    )


def of_notice(notice: HrNotice, at: datetime) -> tuple[Signatory, ...]:
    """Return who signed in the personnel system, as *notice* says it, which was written down here *at*.

    Where the site asks for no signatures of approvers, those the notice names are its own word: they have no key.
    """
    named = {str(one["by"]): one for one in notice.details.get("approvers", ())}
    down = {"by": PERSONNEL, "at": written(at)}
    found = [
        _signed(
            one.person,
            one.role,
            one.at,
            str(named.get(one.named or one.person, {}).get("opinion", "")),
            clock=ClockName.PERSONNEL,
            key=one.kid,
        )
        for one in notice.approvals
    ] or [
        _signed(
            by,
            str(one["role"]),
            datetime.fromtimestamp(one["at"], UTC),
            str(one.get("opinion", "")),
            clock=ClockName.PERSONNEL,
        )
        for by, one in named.items()
    ]
    found = found or [_signed(PERSONNEL, PERSONNEL, notice.iat, clock=ClockName.PERSONNEL, key=notice.kid)]
    return tuple({"signed": signed, "written": down} for signed in found)


def _approval(one: Approval, title: Mapping[str, str] | None) -> Signatory:
    own = one.written_by == one.by  # else it is a form that somebody else typed in
    signed = _signed(one.by, one.role, one.at if own else None, one.opinion, title)
    return {"signed": signed, "written": {"by": one.written_by, "at": written(one.at)} if one.written_by else None}


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
