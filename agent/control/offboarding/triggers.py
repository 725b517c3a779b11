"""Why access ends, or is given back; each occasion is carried out as a run of the same name.

    C000012  a departure or transfer    H000012  a hold    G000012  a grant that ended by itself
    L000012  rights that an act took
    C000012.G000012  a grant that the departure ended, and that two officers have given again since

Rules of this file: the registry is asked, and nothing is remembered. An occasion that has passed (a hold that was
lifted, a departure that two officers took back) says why its run is to be given up: nobody's process is ended for a
reason that does not hold any more.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from agent.control.offboarding.signatories import Signatory, of_case, of_officer
from agent.offboard.context import RevocationSubject
from agent.offboard.intake.notice import HrEvent
from agent.offboard.intake.store import WantedNotice
from agent.offboard.plan import Cause
from agent.offboard.steps.places import accounts
from agent.registry.columns import moment
from agent.site.context import SiteContext
from rules.decide import decide
from rules.model import Request
from rules.offboarding.case import OffboardingCase
from rules.rights import stands
from rules.text import Text

_LIFTED = Text("the hold was lifted before", "停权此前已解除")
_OVER = Text("the transfer was closed before", "调动此前已办结")
_RESCINDED = Text("the departure was taken back before", "离岗此前已撤销")
_LEFT_AGAIN = Text("the person has left again", "该人员已再次离岗")
_ROOMS = Text("no area was lost, and each door asks anew", "未丧失涉密目录权限；门禁每次重新判定")
_GRANTED = Text("access was given again before", "权限此前已恢复")


@dataclass(frozen=True, slots=True)
class RevocationTrigger:
    """One reason to end access, decided or fallen due *at*; *areas*: of which areas, empty: of all.

    ``uids``: of which accounts, taken ones; empty: of every one the person has. ``act``, ``entry``: what took it.

    ``tries``: see :class:`agent.offboard.context.RevocationSubject`.

    ``approved_at``: when it was approved, where access ended at a later instant, its leave date. ``advanced_by``: who
    brought the leave date forward to that very instant; empty: it came by itself.

    ``roles``: administrator roles that make it two officers' decision; ``waits``: the second one has not made it.
    ``over``: why there is nothing to do any more. ``notice``: what of the personnel system's it follows.
    """

    name: str
    person: str
    cause: Cause
    officers: frozenset[str]
    at: datetime
    roles: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    uids: tuple[int, ...] = ()
    act: str = ""
    entry: int = 0
    tries: frozenset[str] | None = None
    approved_at: datetime | None = None
    advanced_by: str = ""
    waits: bool = False
    over: Text | None = None
    reference: str = ""
    notice: WantedNotice | None = None
    approvers: tuple[Signatory, ...] = ()


def trigger_of(site: SiteContext, name: str) -> RevocationTrigger:
    """Return what the run *name* is for. Raises :class:`RefusedError` when the registry has no such thing."""
    case, _, grant = name.partition(".")
    if grant:
        return _restoration(site, name, case, grant)
    if name.startswith("H"):
        return _hold(site, name)
    if name.startswith("G"):
        return _lapse(site, name)
    if name.startswith("L"):
        return _loss(site, name)
    return _case(site, site.lists.cases.get(name))


def revocation_subject(site: SiteContext, found: RevocationTrigger) -> RevocationSubject:
    """Return the person with every account it is about, as the runner takes them."""
    uids = found.uids or [int(str(row["uid"])) for row in site.lists.accounts.find(found.person)]
    return RevocationSubject(
        found.person,
        accounts(uids),
        found.roles,
        areas=found.areas,
        tries=found.tries,
        uncut_only=found.cause is Cause.LOSS,
    )


def _case(site: SiteContext, case: OffboardingCase) -> RevocationTrigger:
    """Return what *case*, whose access is over, asks for.

    A transfer (or what passes as one does) that is closed asks for nothing any more: its person may have been given
    something new since, or leaves by a case of his own.
    """
    assert case.ended_at is not None  # nobody asks before
    transfer = case.kind.passes
    over = _RESCINDED if case.rescinded else _OVER if transfer and case.closed else None
    return RevocationTrigger(
        case.id,
        case.person,
        Cause.TRANSFER if transfer else Cause.DEPARTURE,
        case.officers,
        case.ended_at,
        approved_at=case.approved_at if case.approved_at and case.approved_at < case.ended_at else None,
        advanced_by=case.advanced.by if case.advanced and case.ended_by_hand else "",
        roles=frozenset(case.roles),
        tries=frozenset(site.lists.case_grants.lost(case.id)) if transfer else None,
        waits=case.unconfirmed,
        over=over,
        reference=case.reference,
        # Who wrote the deciding approval down is nobody where the agent itself did, on the word of a notice.
        notice=WantedNotice(HrEvent.DEPARTURE_APPROVED, case.reference) if not case.ended_by else None,
        approvers=of_case(case),
    )


def _hold(site: SiteContext, name: str) -> RevocationTrigger:
    row = site.lists.holds.get(name)
    by, since, reason = str(row["placed_by"]), moment(str(row["since"])), str(row["reason"])
    notice = _asked_for(reason) if by == _own_name(site) else None
    return RevocationTrigger(
        name,
        str(row["person"]),
        Cause.HOLD,
        frozenset({by}),
        since,
        over=_LIFTED if row["lifted_at"] else None,
        reference=notice.txn if notice else "",
        notice=notice,
        approvers=(of_officer(by, since, opinion=reason),),
    )


def _own_name(site: SiteContext) -> str:
    """Return what the agent is called as an officer; see :meth:`agent.control.dispatch.HandlerRequest.officer`."""
    return site.facts.person_of_uid(os.getuid()) or f"uid:{os.getuid()}"


def _asked_for(reason: str) -> WantedNotice | None:
    """Return what a hold of the agent's own follows; see :mod:`agent.control.offboarding.hr_intake`."""
    event, _, txn = reason.partition(" ")
    return WantedNotice(HrEvent(event), txn) if event in tuple(HrEvent) else None


def _lapse(site: SiteContext, name: str) -> RevocationTrigger:
    row = site.lists.grants.get(name)
    person, area = str(row["person"]), str(row["resource"])
    ended = RevocationTrigger(
        name, person, Cause.EXPIRY, frozenset(), moment(str(row["until"])), areas=frozenset({area})
    )
    return replace(ended, over=_GRANTED) if allowed(site, person, area) else ended


def _loss(site: SiteContext, name: str) -> RevocationTrigger:
    """Return what is still lost of what an act took: of an area that was given again since nothing is ended."""
    row = site.lists.losses.get(name)
    person, uids = str(row["person"]), tuple(map(int, cast("Sequence[int]", row["uids"])))
    areas = frozenset(map(str, cast("Sequence[str]", row["areas"])))
    if uids:
        still = areas if any(site.facts.person_of_uid(uid) != person for uid in uids) else frozenset[str]()
    else:
        still = frozenset(area for area in areas if not allowed(site, person, area))
    by, since = str(row["by"]), moment(str(row["at"]))
    return RevocationTrigger(
        name,
        person,
        Cause.LOSS,
        frozenset({by}),
        since,
        areas=still or areas,
        uids=uids,
        act=str(row["act"]),
        entry=int(str(row["entry"])),
        over=None if still else _GRANTED if areas else _ROOMS,
        approvers=(of_officer(by, since, opinion=str(row["reason"])),),
    )


def _restoration(site: SiteContext, name: str, case: str, grant: str) -> RevocationTrigger:
    taken_back = site.lists.cases.get(case)
    person = taken_back.person
    asked = next(one for one in taken_back.restorations if one.grant == grant)
    left_again = any(running.ended_at for running in site.lists.cases.find(person))
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
    """Whether *person* may open *area* after all."""
    _, facts = site.facts.facts([person], area)
    return stands(decide(Request((person,), area), facts, site.pack(), site.now()))
