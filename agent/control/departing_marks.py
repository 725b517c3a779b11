"""From a case, its steps and the log to what its receipt says: the instants of one departure on one clock.

Rules of this file: every instant was written down when it happened; nothing here is estimated. The last successful read
is the last access of the person that the log let pass, at any time before the decider denied.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from agent.control.desk import Desk
from agent.log.search import Filter, query
from agent.offboard import database, proof, store
from agent.offboard.journal import Done
from agent.offboard.plan import Cause
from agent.offboard.receipt import Ending, StepRecord
from agent.offboard.steps import LEAVING
from agent.offboard.timeline import Marks, last_read
from rules.departure_case import Case
from rules.text import Text

_LOOKED = 200  # newest entries of the person among which the last allowed access is looked for


def ending(desk: Desk, case: Case, cause: Cause, steps: Sequence[Done]) -> Ending:
    """Return all that the receipt of *case* says."""
    desk.indexing.fresh()
    titles = {step.id: step.title for step in (*LEAVING, proof.STEP)}
    return Ending(
        host=os.uname().nodename,
        person=case.person,
        case=case.id,
        cause=cause,
        reference=case.reference,
        pack=desk.pack().id,
        approvers=tuple({"role": a.role, "by": a.by, "at": a.at.isoformat()} for a in case.approvals),
        marks=_marks(desk, case, steps),
        steps=tuple(
            StepRecord(
                d.step, titles.get(d.step, Text(d.step, d.step)), d.result.state, d.result.detail, d.result.facts
            )
            for d in steps
        ),
        proof=None,
    )


def _marks(desk: Desk, case: Case, steps: Sequence[Done]) -> Marks:
    facts: Mapping[str, Mapping[str, Any]] = {done.step: done.result.facts for done in steps}
    denied = facts.get("deny", {}).get("at")
    gone = [_at(found["gone_at"]) for found in facts.values() if found.get("gone_at")]
    entries = _accesses(desk, case.person)
    began = min((done.began_at for done in steps if done.began_at), default=case.approved_at)
    heard = store.arrived(database.path(desk.home.root), case.person, case.reference) if case.reference else None
    return Marks(
        approved=heard[0].toe if heard else case.approved_at,
        received=heard[1] if heard else case.approved_at,
        durable=began,
        denied=_at(denied) if denied else None,
        last_read=last_read(entries, case.person),
        last_gone=max(gone, default=None),
    )


def _accesses(desk: Desk, person: str) -> Iterable[Mapping[str, Any]]:
    rows = query(desk.home.index, Filter(person=person, kind="access", verdict="allow", limit=_LOOKED))
    return chain(row.entry for row in rows)


def _at(word: str) -> datetime:
    return datetime.fromisoformat(word)
