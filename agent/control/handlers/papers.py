"""Signed papers that a caller records: ``--approver``, ``--approved-by``, ``--by`` (contract C12).

Rules of this file: a name given here is a registered person in office, and never counts as their own act. It needs the
number of the paper they signed, which may be omitted in a trial only. No one approves a matter of their own.
"""

from agent.control.dispatch import HandlerRequest, Json
from agent.control.eligibility import absence, find_person
from agent.control.two_hands import is_trial
from agent.errors import RefusedError, UsageError
from agent.registry.rows.papers import Paper
from agent.registry.terms import PERSON
from agent.registry.validation import unknown
from rules.text import Message
from rules.visible import visible


def written(signed: Paper | None) -> dict[str, Json]:
    """Return the fields about a paper for the entry of the act, whose actor recorded it."""
    return {"signed_on_paper": signed.to_json()} if signed else {}


def paper(request: HandlerRequest, name: str) -> Paper | None:
    """Return the paper signed by the person in the argument *name*, ``None`` when that is the caller.

    Raises :class:`RefusedError` for a person who is unknown or not in office, and :class:`UsageError` for a paper
    without a number.
    """
    signatory, reference, on = request.args.text(name), request.args.text("paper"), request.args.instant("paper_date")
    if not signatory or (signatory in request.officers() and not reference):
        return None
    if find_person(request, signatory) is None:
        raise unknown(PERSON, signatory, "shoumi person list")
    if reason := absence(request, signatory):
        raise RefusedError(reason, Message("control.name-person-in-office"))
    if signatory == request.args.text("person") and name != "by":
        raise RefusedError(
            Message("control.own-approval-not-allowed"),
            Message("control.name-the-signatory"),
        )
    if not (reference or is_trial(request)):
        shown_name = visible(signatory)
        raise UsageError(
            Message("control.paper-number-required", person=shown_name),
            Message("control.add-paper"),
        )
    offset = request.site.pack().utc_offset
    return Paper(signatory, reference, (on + offset).date() if on else None)
