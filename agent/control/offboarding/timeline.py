"""Receipt content: combines a trigger, its steps and the log; every instant has its source.

Rules of this file: every instant was recorded when it happened; nothing is estimated, and an instant that is only
bounded is marked so. The last successful read is the last allowed access of the person in the log, without the agent's
own attempts. A notice of the personnel system counts only if it arrived before access ended.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from agent.control.offboarding.signatories import Signatory, by_hand, of_notice
from agent.control.offboarding.triggers import RevocationTrigger
from agent.log.search import Filter, query
from agent.offboard import database
from agent.offboard.intake import store
from agent.offboard.intake.store import ArrivedNotice
from agent.offboard.journal import JournaledStep
from agent.offboard.plan import Cause
from agent.offboard.progress import titles
from agent.offboard.receipt.receipt import NO_ENTRIES, PROOF_STEP, RevocationRecord, StepRecord
from agent.offboard.receipt.schema import NOT_PART
from agent.offboard.receipt.timeline import ClockName, Marks, Origin, Source, by_boot, last_read
from agent.offboard.runner import GIVEN_UP
from agent.offboard.steps import RESTORING, doors, holders, sessions
from agent.offboard.steps.sessions import NOT_WANTED
from agent.runtime.clock import boot_id, boot_time
from agent.runtime.home import Home
from agent.site.context import SiteContext
from rules.offboarding.case import PERSONNEL
from rules.text import Message, Text

_LOOKED = 200  # newest entries of the person searched for the last allowed access
_MOST = 100_000  # entries of the attempts of one proof
_BY_THE_NEXT = frozenset(("started", "recovered"))  # entries that a decider may write before ``decider-started``
_FIRST_ENTRIES = 8
_APART = timedelta(seconds=1)  # time stamps of entries lag the agent's clock by less than this
_NOT_PART = {
    Cause.HOLD: Message("control.hold-keeps-account"),
    Cause.TRANSFER: Message("control.transfer-keeps-person"),
    Cause.EXPIRY: Message("control.expiry-keeps-person"),
    Cause.LOSS: Message("control.loss-keeps-other-rights"),
    Cause.DEPARTURE: Message("control.step-newer-than-run"),
}
# Steps that a cause leaves out for a special reason.
_LEFT_OUT = {
    (Cause.DEPARTURE, holders.STEP.id): Message("control.all-processes-ended"),
    **{
        (cause, sessions.STAYING.id): Message("control.pack-keeps-sessions")
        for cause in (Cause.HOLD, Cause.TRANSFER, Cause.EXPIRY, Cause.LOSS)
    },
}
_When = Callable[[Mapping[str, Any]], datetime]


def ending(site: SiteContext, trigger: RevocationTrigger, steps: Sequence[JournaledStep]) -> RevocationRecord:
    """Return the content of the receipt of the run for *trigger*."""
    heard = _heard(site.home, trigger)
    at = by_boot(site.now(), boot_time() // 1000, boot_id())
    return RevocationRecord(
        host=os.uname().nodename,
        person=trigger.person,
        case=trigger.name,
        cause=trigger.cause,
        reference=trigger.reference,
        pack=site.pack().id,
        approvers=_approvers(heard, trigger),
        marks=_marks(site.home, trigger, heard, steps, at),
        steps=(*_records(trigger.cause, steps), *_no_part(trigger.cause, {journaled.step for journaled in steps})),
        proof=None,
        doors=doors.of_facts(next((d.result.facts for d in steps if d.step == doors.ID and _is_part(d)), {})),
        lost=tuple(sorted(trigger.areas)),
        act=trigger.act,
        seq=trigger.entry or None,
        own_entries=_own_entries(site.home, trigger, steps, at),
    )


def _approvers(heard: ArrivedNotice | None, trigger: RevocationTrigger) -> tuple[Signatory, ...]:
    if heard is None:
        return trigger.approvers
    signed = of_notice(heard.notice, trigger.at)
    return (*signed, *by_hand(trigger.approvers, {signatory["signed"]["by"] for signatory in signed}))


def _records(cause: Cause, steps: Iterable[JournaledStep]) -> Iterable[StepRecord]:
    called = titles(cause)
    for journaled in steps:
        title, outcome = called.get(journaled.step, Text(journaled.step, journaled.step)), journaled.result
        state = str(outcome.state) if _is_part(journaled) else NOT_PART
        facts = {name: fact for name, fact in outcome.facts.items() if name != GIVEN_UP}
        yield StepRecord(journaled.step, title, state, outcome.detail, facts)


def _is_part(journaled: JournaledStep) -> bool:
    """Return whether a step is part of its run: required by the pack, and not given up."""
    return not (journaled.result.facts.get(NOT_WANTED) or journaled.result.facts.get(GIVEN_UP))


def _no_part(cause: Cause, run: set[str]) -> Iterable[StepRecord]:
    """Yield the steps that this run does not include, so that a reader does not take them for done or missing."""
    elsewhere = {step.id for step in RESTORING}
    for step, title in titles(cause).items():
        if step not in run and step not in elsewhere:
            yield StepRecord(step, title, NOT_PART, _LEFT_OUT.get((cause, step), _NOT_PART[cause]), {})


def _heard(home: Home, trigger: RevocationTrigger) -> ArrivedNotice | None:
    """Return the notice of the personnel system behind *trigger*, if any."""
    if trigger.notice is None:
        return None
    return store.arrived(database.path(home.root), trigger.person, trigger.notice, trigger.at)


def _marks(
    home: Home, trigger: RevocationTrigger, heard: ArrivedNotice | None, steps: Sequence[JournaledStep], at: _When
) -> Marks:
    facts: Mapping[str, Mapping[str, Any]] = {journaled.step: journaled.result.facts for journaled in steps}
    deny = facts.get("deny", {})
    denied, durable, requested_at = (_at(deny.get(name)) for name in ("at", "durable_at", "received_at"))
    if durable and durable < trigger.at:  # belongs to another act about the same person
        durable = requested_at = None
    ended_times = [_at(facts_of["gone_at"]) for facts_of in facts.values() if facts_of.get("gone_at")]
    read = last_read(_accesses(home, trigger), trigger.person, at)
    marks = Marks(
        approved=trigger.at,
        received=trigger.at,
        durable=durable,
        denied=denied,
        last_read=read[0] if read else None,
        last_gone=max((ended_time for ended_time in ended_times if ended_time), default=None),
        origins={"last-read": Origin(Source.LOG, seq=read[1])} if read else {},
    )
    if trigger.cause is Cause.EXPIRY:
        return _due(marks, _nobody_decided(home, trigger.at, at))
    if trigger.approved_at:
        return _at_leave_date(marks, trigger.approved_at, trigger.advanced_by, requested_at, heard)
    if heard:
        return _by_notice(marks, heard)
    return _by_act(marks, requested_at)


def _nobody_decided(home: Home, due: datetime, at: _When) -> tuple[datetime, int] | None:
    """Return the start of the next decider and its entry number, if none may have run at *due*.

    Until then earlier verdicts stayed in effect. A decider that wrote an entry after *due* was running.
    """
    starts = list(query(home.index, Filter(kind="decider-started", since=due - _APART, limit=_LOOKED)))
    first = next((row for row in reversed(starts) if at(row.entry) > due), None)
    if first is None:
        return None
    before = query(home.index, Filter(before_seq=first.seq, limit=_FIRST_ENTRIES))
    last = next((row for row in before if row.entry.get("kind") not in _BY_THE_NEXT), None)
    return None if last and at(last.entry) > due else (at(first.entry), first.seq)


def _due(marks: Marks, began: tuple[datetime, int] | None) -> Marks:
    """Return the marks of an expiry: access is denied from that instant on, if a decider runs.

    *began*: the start of the next decider, if none ran.
    """
    due = marks.approved
    if began and due and not (marks.denied and marks.denied > began[0]):
        origins = {name: Origin(Source.DUE) for name in ("approved", "received")}
        denied = {"denied": Origin(Source.LOG, not_before=due, not_after=began[0], seq=began[1])}
        return replace(marks, durable=None, denied=began[0], origins={**marks.origins, **origins, **denied})
    later = bool(marks.denied and due and marks.denied > due)
    origins = {name: Origin(Source.DUE) for name in ("approved", "received", *(() if later else ("denied",)))}
    return replace(
        marks,
        durable=None,
        denied=marks.denied if later else marks.denied and due,
        origins={**marks.origins, **origins},
    )


def _at_leave_date(
    marks: Marks, approved: datetime, by: str, requested_at: datetime | None, heard: ArrivedNotice | None
) -> Marks:
    """Return the marks of a case approved earlier that took effect at its leave date.

    *by*: who advanced the leave date to that instant; for an officer *requested_at* is when the request was read;
    empty: no one. An approval in the personnel system has the time of its own clock.
    """
    requested_at = requested_at if by and by != PERSONNEL else None
    received = requested_at or marks.received
    source = Source.DUE if not by else Source.SOCKET if requested_at else Source.ACT
    origins = {"approved": Origin(Source.ACT), "received": Origin(source), "durable": _stored(marks, received)}
    if heard:
        approved, origins["approved"] = heard.notice.toe, Origin(Source.PERSONNEL, ClockName.PERSONNEL)
    return replace(
        marks,
        approved=approved,
        received=received,
        durable=marks.durable or marks.denied,
        origins={**marks.origins, **origins},
    )


def _by_notice(marks: Marks, heard: ArrivedNotice) -> Marks:
    spool = Origin(Source.SPOOL, not_before=heard.not_before, not_after=heard.looked_at, compared="file-system")
    stored = heard.durable_at
    return replace(
        marks,
        approved=heard.notice.toe,
        received=heard.received_at,
        durable=stored or marks.durable or marks.denied,
        origins={
            **marks.origins,
            "approved": Origin(Source.PERSONNEL, ClockName.PERSONNEL),
            "received": spool if heard.looked_at else Origin(Source.UNKNOWN),
            "durable": Origin(Source.HR_STORE) if stored else _stored(marks, heard.received_at),
        },
    )


def _by_act(marks: Marks, requested_at: datetime | None) -> Marks:
    """Return the marks of an officer's act: the request is the approval. *requested_at*: when it was read."""
    received = requested_at or marks.received
    source = Origin(Source.SOCKET if requested_at else Source.ACT)
    return replace(
        marks,
        approved=received,
        received=received,
        durable=marks.durable or marks.denied,
        origins={**marks.origins, "approved": source, "received": source, "durable": _stored(marks, received)},
    )


def _stored(marks: Marks, since: datetime | None) -> Origin:
    """Return the source of *durable*: the commit, or bounds for a commit whose end was not observed.

    A decider that acknowledged the epoch has read it, and data it reads was synced before (sqlite.org/wal.html).
    """
    if marks.durable:
        return Origin(Source.REGISTRY)
    return Origin(Source.DECIDER, not_before=since, not_after=marks.denied)


def _accesses(home: Home, trigger: RevocationTrigger) -> Iterable[Mapping[str, Any]]:
    """Yield the newest allowed accesses of the person in the areas concerned."""
    wanted = Filter(person=trigger.person, kind="access", verdict="allow", own=False, limit=_LOOKED)
    for row in query(home.index, wanted):
        if not trigger.areas or row.entry.get("area") in trigger.areas:
            yield row.entry


def _own_entries(
    home: Home, trigger: RevocationTrigger, steps: Sequence[JournaledStep], at: _When
) -> Mapping[str, Any]:
    """Return the count and the first and last number of the entries of the proof's attempts."""
    proof = next((journaled for journaled in steps if journaled.step == PROOF_STEP), None)
    if proof is None or proof.began_at is None or proof.ended_at is None:
        return NO_ENTRIES
    wanted = Filter(
        person=trigger.person,
        kind="access",
        own=True,
        since=proof.began_at - _APART,
        until=proof.ended_at + _APART,
        limit=_MOST,
    )
    seqs = [row.seq for row in query(home.index, wanted) if proof.began_at <= at(row.entry) <= proof.ended_at]
    return {"count": len(seqs), "first": min(seqs), "last": max(seqs)} if seqs else NO_ENTRIES


def _at(stamp: object) -> datetime | None:
    return datetime.fromisoformat(stamp) if isinstance(stamp, str) and stamp else None
