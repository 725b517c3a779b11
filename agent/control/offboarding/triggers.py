"""Revocation triggers: the reasons to end or restore access; each is carried out as a run of the same name.

    C000012  a departure or transfer    H000012  a hold    G000012  a grant that ended by itself
    L000012  rights that an act took
    C000012.G000012  a grant that the departure ended and two officers restored

Rules of this file: triggers are read from the registry, never cached. A trigger that no longer applies (a lifted hold,
a rescinded departure) carries the reason to abandon its run: no process is ended for a reason that no longer holds.
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
from rules.text import Message, Sentence

_LIFTED = Message("control.hold-lifted")
_OVER = Message("control.transfer-closed")
_RESCINDED = Message("control.departure-rescinded")
_LEFT_AGAIN = Message("control.person-left-again")
_ROOMS = Message("control.no-area-lost")
_GRANTED = Message("control.access-regranted")


@dataclass(frozen=True, slots=True)
class RevocationTrigger:
    """One reason to end access, decided or due *at*; *areas*: the areas concerned, empty: all.

    ``uids``: the removed accounts concerned; empty: every account of the person. ``act``, ``entry``: the act behind it.

    ``tries``: see :class:`agent.offboard.context.RevocationSubject`.

    ``approved_at``: the approval, if access ended later, at the leave date. ``advanced_by``: who advanced the leave
    date to that instant; empty: no one.

    ``roles``: administrator roles that require two officers; ``waits``: the second one has not confirmed. ``over``: why
    there is nothing left to do. ``notice``: the notice of the personnel system behind it.
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
    over: Sentence | None = None
    reference: str = ""
    notice: WantedNotice | None = None
    approvers: tuple[Signatory, ...] = ()


def trigger_of(site: SiteContext, name: str) -> RevocationTrigger:
    """Return the trigger of the run *name*. Raises :class:`RefusedError` when the registry has none."""
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


def revocation_subject(site: SiteContext, trigger: RevocationTrigger) -> RevocationSubject:
    """Return the person and the accounts concerned, for the runner."""
    uids = trigger.uids or [int(str(row["uid"])) for row in site.lists.accounts.find(trigger.person)]
    return RevocationSubject(
        trigger.person,
        accounts(uids),
        trigger.roles,
        areas=trigger.areas,
        tries=trigger.tries,
        uncut_only=trigger.cause is Cause.LOSS,
    )


def _case(site: SiteContext, case: OffboardingCase) -> RevocationTrigger:
    """Return the trigger of *case*, whose access has ended.

    A closed transfer (or another passing kind) is over: the person may have new rights since, or leave by another case.
    """
    assert case.ended_at is not None  # callers check before
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
        # ``ended_by`` is empty where the agent recorded the approval of a notice.
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
    """Return the agent's own name as an officer; see :meth:`agent.control.dispatch.HandlerRequest.officer`."""
    return site.facts.person_of_uid(os.getuid()) or f"uid:{os.getuid()}"


def _asked_for(reason: str) -> WantedNotice | None:
    """Return the notice behind a hold placed by the agent; see :mod:`agent.control.offboarding.hr_intake`."""
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
    """Return the trigger of rights an act ended, without areas that were granted again since."""
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
    restoration = next(candidate for candidate in taken_back.restorations if candidate.grant == grant)
    left_again = any(running.ended_at for running in site.lists.cases.find(person))
    return RevocationTrigger(
        name,
        person,
        Cause.RESTORED,
        frozenset({restoration.asked_by, restoration.given_by} - {""}),
        restoration.asked_at,
        areas=frozenset({str(site.lists.grants.get(grant)["resource"])}),
        over=_LEFT_AGAIN if left_again else None,
    )


def allowed(site: SiteContext, person: str, area: str) -> bool:
    """Return whether *person* may open *area* now."""
    _, facts = site.facts.facts([person], area)
    return stands(decide(Request((person,), area), facts, site.pack(), site.now()))
