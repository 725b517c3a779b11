"""From an occasion, its steps and the log to what its receipt says: each instant where it was taken.

Rules of this file: every instant was written down when it happened; nothing here is estimated, and what is only bounded
says so. The last successful read is the last access of the person that the log let pass, the agent's own attempts left
out. What the personnel system sent counts where it arrived before access ended, and no other notice does.
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
from rules.text import Text

_LOOKED = 200  # newest entries of the person among which the last allowed access is looked for
_MOST = 100_000  # entries of attempts of one proof
_BY_THE_NEXT = frozenset(("started", "recovered"))  # what a decider may write before it says that it has started
_FIRST_ENTRIES = 8
_APART = timedelta(seconds=1)  # stamps of entries may be behind the agent's clock by less than this
_NOT_PART = {
    Cause.HOLD: Text("account and jobs stay", "账号与任务保留"),
    Cause.TRANSFER: Text("the person stays, and doors ask the rules every time", "人员留任，各门每次均询问规则"),
    Cause.EXPIRY: Text("one area is lost, and the person stays", "仅丧失一个目录的权限，人员留任"),
    Cause.LOSS: Text(
        "only the rights named above are lost; doors ask the rules every time", "仅丧失上列权限，各门每次均询问规则"
    ),
    Cause.DEPARTURE: Text("the run was begun before there was such a step", "开始时尚无此步骤"),
}
# What a cause leaves out for a reason of its own.
_LEFT_OUT = {
    (Cause.DEPARTURE, holders.STEP.id): Text("every process is ended", "所有进程均已结束"),
    **{
        (cause, sessions.STAYING.id): Text("the rule pack lets login sessions stay", "规则包未要求结束登录会话")
        for cause in (Cause.HOLD, Cause.TRANSFER, Cause.EXPIRY, Cause.LOSS)
    },
}
_When = Callable[[Mapping[str, Any]], datetime]


def ending(site: SiteContext, found: RevocationTrigger, steps: Sequence[JournaledStep]) -> RevocationRecord:
    """Return all that the receipt of the run for *found* says."""
    heard = _heard(site.home, found)
    at = by_boot(site.now(), boot_time() // 1000, boot_id())
    return RevocationRecord(
        host=os.uname().nodename,
        person=found.person,
        case=found.name,
        cause=found.cause,
        reference=found.reference,
        pack=site.pack().id,
        approvers=_approvers(heard, found),
        marks=_marks(site.home, found, heard, steps, at),
        steps=(*_records(found.cause, steps), *_no_part(found.cause, {done.step for done in steps})),
        proof=None,
        doors=doors.of_facts(next((d.result.facts for d in steps if d.step == doors.ID and _is_part(d)), {})),
        lost=tuple(sorted(found.areas)),
        act=found.act,
        seq=found.entry or None,
        own_entries=_own_entries(site.home, found, steps, at),
    )


def _approvers(heard: ArrivedNotice | None, found: RevocationTrigger) -> tuple[Signatory, ...]:
    if heard is None:
        return found.approvers
    signed = of_notice(heard.notice, found.at)
    return (*signed, *by_hand(found.approvers, {one["signed"]["by"] for one in signed}))


def _records(cause: Cause, steps: Iterable[JournaledStep]) -> Iterable[StepRecord]:
    called = titles(cause)
    for done in steps:
        title, result = called.get(done.step, Text(done.step, done.step)), done.result
        state = str(result.state) if _is_part(done) else NOT_PART
        facts = {name: value for name, value in result.facts.items() if name != GIVEN_UP}
        yield StepRecord(done.step, title, state, result.detail, facts)


def _is_part(done: JournaledStep) -> bool:
    """Whether a step of a run is part of it: the pack asked for it after all, and it was not given up."""
    return not (done.result.facts.get(NOT_WANTED) or done.result.facts.get(GIVEN_UP))


def _no_part(cause: Cause, run: set[str]) -> Iterable[StepRecord]:
    """Yield what a revocation can end and this one was not about, so that nobody takes it for done or not there."""
    elsewhere = {step.id for step in RESTORING}
    for step, title in titles(cause).items():
        if step not in run and step not in elsewhere:
            yield StepRecord(step, title, NOT_PART, _LEFT_OUT.get((cause, step), _NOT_PART[cause]), {})


def _heard(home: Home, found: RevocationTrigger) -> ArrivedNotice | None:
    """Return the notice of the personnel system that *found* follows, if one does."""
    if found.notice is None:
        return None
    return store.arrived(database.path(home.root), found.person, found.notice, found.at)


def _marks(
    home: Home, found: RevocationTrigger, heard: ArrivedNotice | None, steps: Sequence[JournaledStep], at: _When
) -> Marks:
    facts: Mapping[str, Mapping[str, Any]] = {done.step: done.result.facts for done in steps}
    deny = facts.get("deny", {})
    denied, durable, asked = (_at(deny.get(name)) for name in ("at", "durable_at", "received_at"))
    if durable and durable < found.at:  # of another act about the same person
        durable = asked = None
    gone = [_at(facts_of["gone_at"]) for facts_of in facts.values() if facts_of.get("gone_at")]
    read = last_read(_accesses(home, found), found.person, at)
    marks = Marks(
        approved=found.at,
        received=found.at,
        durable=durable,
        denied=denied,
        last_read=read[0] if read else None,
        last_gone=max((one for one in gone if one), default=None),
        origins={"last-read": Origin(Source.LOG, seq=read[1])} if read else {},
    )
    if found.cause is Cause.EXPIRY:
        return _due(marks, _nobody_decided(home, found.at, at))
    if found.approved_at:
        return _at_leave_date(marks, found.approved_at, found.advanced_by, asked, heard)
    if heard:
        return _by_notice(marks, heard)
    return _by_act(marks, asked)


def _nobody_decided(home: Home, due: datetime, at: _When) -> tuple[datetime, int] | None:
    """Return when the next decider began, and the number of its entry, if none may have been there at *due*.

    Until then what had been allowed before went on unasked. One that has written an entry since then was there.
    """
    starts = list(query(home.index, Filter(kind="decider-started", since=due - _APART, limit=_LOOKED)))
    first = next((row for row in reversed(starts) if at(row.entry) > due), None)
    if first is None:
        return None
    before = query(home.index, Filter(before_seq=first.seq, limit=_FIRST_ENTRIES))
    last = next((row for row in before if row.entry.get("kind") not in _BY_THE_NEXT), None)
    return None if last and at(last.entry) > due else (at(first.entry), first.seq)


def _due(marks: Marks, began: tuple[datetime, int] | None) -> Marks:
    """Return the marks of what ends by itself: it is denied from that instant on, as long as a decider knows of it.

    *began*: when there was a decider again, if there was none then.
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
    marks: Marks, approved: datetime, by: str, asked: datetime | None, heard: ArrivedNotice | None
) -> Marks:
    """Return the marks of what was approved before and ended at an instant: that instant is when it was to begin.

    *by*: who brought it forward to then, an officer by a request that was read when it was *asked*; empty: nobody. What
    the personnel system approved was approved when it says so, by its own clock.
    """
    asked = asked if by and by != PERSONNEL else None
    received = asked or marks.received
    source = Source.DUE if not by else Source.SOCKET if asked else Source.ACT
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


def _by_act(marks: Marks, asked: datetime | None) -> Marks:
    """Return the marks of what an officer did: the request is the approval. *asked*: when it was read."""
    received = asked or marks.received
    source = Origin(Source.SOCKET if asked else Source.ACT)
    return replace(
        marks,
        approved=received,
        received=received,
        durable=marks.durable or marks.denied,
        origins={**marks.origins, "approved": source, "received": source, "durable": _stored(marks, received)},
    )


def _stored(marks: Marks, since: datetime | None) -> Origin:
    """Return where *durable* is from: the commit, or what is known of one that nobody was there to see the end of.

    A decider that has acknowledged the epoch has read it, and what it reads was synced before (sqlite.org/wal.html).
    """
    if marks.durable:
        return Origin(Source.REGISTRY)
    return Origin(Source.DECIDER, not_before=since, not_after=marks.denied)


def _accesses(home: Home, found: RevocationTrigger) -> Iterable[Mapping[str, Any]]:
    """Yield the newest accesses of the person that the log let through, of the areas it is about."""
    wanted = Filter(person=found.person, kind="access", verdict="allow", own=False, limit=_LOOKED)
    for row in query(home.index, wanted):
        if not found.areas or row.entry.get("area") in found.areas:
            yield row.entry


def _own_entries(home: Home, found: RevocationTrigger, steps: Sequence[JournaledStep], at: _When) -> Mapping[str, Any]:
    """Return how many entries the attempts of the proof have, and from which number to which."""
    proof = next((done for done in steps if done.step == PROOF_STEP), None)
    if proof is None or proof.began_at is None or proof.ended_at is None:
        return NO_ENTRIES
    wanted = Filter(
        person=found.person,
        kind="access",
        own=True,
        since=proof.began_at - _APART,
        until=proof.ended_at + _APART,
        limit=_MOST,
    )
    seqs = [row.seq for row in query(home.index, wanted) if proof.began_at <= at(row.entry) <= proof.ended_at]
    return {"count": len(seqs), "first": min(seqs), "last": max(seqs)} if seqs else NO_ENTRIES


def _at(word: object) -> datetime | None:
    return datetime.fromisoformat(word) if isinstance(word, str) and word else None
