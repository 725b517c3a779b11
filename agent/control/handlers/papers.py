"""What people did on paper and a caller writes down: ``--approver``, ``--approved-by``, ``--by`` (contract C12).

Rules of this file: a name that is typed is a person of the registry who is in office, and never counts as their act. It
takes the number of the paper they signed; only in a trial may it be left out. Nobody has approved their own.
"""

from agent.control.dispatch import HandlerRequest, Json
from agent.control.eligibility import absence, known
from agent.control.two_hands import is_trial
from agent.errors import RefusedError, UsageError
from agent.registry.rows.papers import Paper
from agent.registry.terms import PERSON
from agent.registry.validation import unknown
from rules.text import Text
from rules.visible import visible


def written(signed: Paper | None) -> dict[str, Json]:
    """Return what the entry of the act says of a paper: who wrote it down is its actor."""
    return {"signed_on_paper": signed.to_json()} if signed else {}


def paper(request: HandlerRequest, name: str) -> Paper | None:
    """Return the paper that the argument *name* is about, ``None`` when the caller names nobody but themselves.

    Raises :class:`RefusedError` for somebody who is out of office or unknown, and for a paper without a number.
    """
    who, reference, on = request.args.text(name), request.args.text("paper"), request.args.instant("paper_date")
    if not who or (who in request.officers() and not reference):
        return None
    if known(request, who) is None:
        raise unknown(PERSON, who, "shoumi person list")
    if why := absence(request, who):
        raise RefusedError(why, Text("name somebody who is in office", "请写在岗人员"))
    if who == request.args.text("person") and name != "by":
        raise RefusedError(
            Text("nobody approves their own", "任何人不得审批本人事项"),
            Text("name who has signed the paper", "请写实际签字人员"),
        )
    if not (reference or is_trial(request)):
        said = visible(who)
        raise UsageError(
            Text(f"`{said}` has signed a paper: which one?", f"`{said}` 签署的是哪份文件？"),
            Text("add --paper NUMBER, and --paper-date DATE", "请加 --paper 文号 和 --paper-date 日期"),
        )
    offset = request.site.pack().utc_offset
    return Paper(who, reference, (on + offset).date() if on else None)
