"""Why access ends, or is given back; each occasion is carried out as a run of the same name.

    C000012  a departure or transfer    H000012  a hold    G000012  a grant that ended by itself
    C000012.G000012  a grant that the departure ended, and that two officers have given again since

Rules of this file: the registry is asked, and nothing is remembered. An occasion that has passed (a hold that was
lifted, a departure that two officers took back) says why its run is to be given up: nobody's process is ended for a
reason that does not hold any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from agent.offboard.context import RevocationSubject
from agent.offboard.plan import Cause
from agent.offboard.steps.places import accounts
from agent.registry.columns import moment
from agent.site.context import SiteContext
from rules.decide import decide
from rules.model import Request
from rules.offboarding.case import Approval, OffboardingCase
from rules.offboarding.vocabulary import CaseKind
from rules.text import Text

_LIFTED = Text("the hold was lifted before", "停权此前已解除")
_OVER = Text("the transfer was closed before", "调动此前已办结")
_RESCINDED = Text("the departure was taken back before", "离岗此前已撤销")
_LEFT_AGAIN = Text("the person has left again", "该人员已再次离岗")
_GRANTED = Text("access was given again before", "权限此前已恢复")


@dataclass(frozen=True, slots=True)
class RevocationTrigger:
    """One reason to end access, decided or fallen due *at*; *areas*: of which areas, empty: of all.

    ``tries``: see :class:`agent.offboard.context.RevocationSubject`.

    ``roles``: administrator roles that make it two officers' decision; ``waits``: the second one has not made it.
    ``over``: why there is nothing to do any more.
    """

    name: str
    person: str
    cause: Cause
    officers: frozenset[str]
    at: datetime
    roles: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    tries: frozenset[str] | None = None
    waits: bool = False
    over: Text | None = None
    reference: str = ""
    approvers: tuple[Mapping[str, Any], ...] = ()


def trigger_of(site: SiteContext, name: str) -> RevocationTrigger:
    """Return what the run *name* is for. Raises :class:`RefusedError` when the registry has no such thing."""
    case, _, grant = name.partition(".")
    if grant:
        return _restoration(site, name, case, grant)
    if name.startswith("H"):
        return _hold(site, name)
    if name.startswith("G"):
        return _lapse(site, name)
    return _case(site, site.lists.cases.get(name))


def revocation_subject(site: SiteContext, found: RevocationTrigger) -> RevocationSubject:
    """Return the person with every account, as the runner takes them."""
    uids = [int(str(row["uid"])) for row in site.lists.accounts.find(found.person)]
    return RevocationSubject(found.person, accounts(uids), found.roles, areas=found.areas, tries=found.tries)


def _case(site: SiteContext, case: OffboardingCase) -> RevocationTrigger:
    """Return what an approved *case* asks for.

    A transfer that is closed asks for nothing any more: its person may have been given something new since, or leaves
    by a case of his own.
    """
    assert case.approved_at is not None  # nobody asks before
    transfer = case.kind is CaseKind.TRANSFER
    over = _RESCINDED if case.rescinded else _OVER if transfer and case.closed else None
    return RevocationTrigger(
        case.id,
        case.person,
        Cause.TRANSFER if transfer else Cause.DEPARTURE,
        case.officers,
        case.approved_at,
        roles=frozenset(case.roles),
        tries=frozenset(site.lists.case_grants.lost(case.id)) if transfer else None,
        waits=case.unconfirmed,
        over=over,
        reference=case.reference,
        approvers=tuple(_approver(case, approval) for approval in case.approvals),
    )


def _approver(case: OffboardingCase, approval: Approval) -> dict[str, Any]:
    """Return who approved as a receipt says it; with the title the role had in the chain of the case."""
    titles = {place.role: place.title.to_json() for place in case.chain}
    said = {"role": approval.role, "by": approval.by, "at": approval.at.isoformat()}
    return said | ({"title": titles[approval.role]} if approval.role in titles else {})


def _hold(site: SiteContext, name: str) -> RevocationTrigger:
    row = site.lists.holds.get(name)
    by, since = str(row["placed_by"]), moment(str(row["since"]))
    return RevocationTrigger(
        name,
        str(row["person"]),
        Cause.HOLD,
        frozenset({by}),
        since,
        over=_LIFTED if row["lifted_at"] else None,
        approvers=({"role": "officer", "by": by, "at": since.isoformat()},),
    )


def _lapse(site: SiteContext, name: str) -> RevocationTrigger:
    row = site.lists.grants.get(name)
    person, area = str(row["person"]), str(row["resource"])
    ended = RevocationTrigger(
        name, person, Cause.EXPIRY, frozenset(), moment(str(row["until"])), areas=frozenset({area})
    )
    return replace(ended, over=_GRANTED) if allowed(site, person, area) else ended


def _restoration(site: SiteContext, name: str, case: str, grant: str) -> RevocationTrigger:
    taken_back = site.lists.cases.get(case)
    person = taken_back.person
    asked = next(one for one in taken_back.restorations if one.grant == grant)
    left_again = any(running.approved_at for running in site.lists.cases.find(person))
    return RevocationTrigger(
        name,
        person,
        Cause.RESTORED,
        frozenset({asked.asked_by, asked.given_by} - {""}),
        asked.asked_at,
        areas=frozenset({str(site.lists.grants.get(grant)["resource"])}),
        over=_LEFT_AGAIN if left_again else None,
    )


def allowed(site: SiteContext, person: str, area: str) -> bool:
    """Whether *person* may open *area* after all, by another grant that runs or because none is needed."""
    if site.lists.grants.find(site.now(), person=person, resource=area):
        return True
    _, facts = site.facts.facts([person], area)
    return decide(Request((person,), area), facts, site.pack(), site.now()).allow
