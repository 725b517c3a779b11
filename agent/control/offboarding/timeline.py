"""From an occasion, its steps and the log to what its receipt says: the instants of one revocation on one clock.

Rules of this file: every instant was written down when it happened; nothing here is estimated. The last successful read
is the last access of the person that the log let pass, at any time before the decider denied.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from agent.control.offboarding.triggers import RevocationTrigger
from agent.log.search import Filter, query
from agent.offboard import database
from agent.offboard.intake import store
from agent.offboard.journal import JournaledStep
from agent.offboard.progress import TITLES
from agent.offboard.receipt.receipt import RevocationRecord, StepRecord
from agent.offboard.receipt.timeline import Marks, last_read
from agent.offboard.steps import doors
from agent.runtime.home import Home
from agent.site.context import SiteContext
from rules.text import Text

_LOOKED = 200  # newest entries of the person among which the last allowed access is looked for


def ending(site: SiteContext, found: RevocationTrigger, steps: Sequence[JournaledStep]) -> RevocationRecord:
    """Return all that the receipt of the run for *found* says."""
    return RevocationRecord(
        host=os.uname().nodename,
        person=found.person,
        case=found.name,
        cause=found.cause,
        reference=found.reference,
        pack=site.pack().id,
        approvers=found.approvers,
        marks=_marks(site.home, found, steps),
        steps=tuple(
            StepRecord(
                d.step, TITLES.get(d.step, Text(d.step, d.step)), d.result.state, d.result.detail, d.result.facts
            )
            for d in steps
        ),
        proof=None,
        doors=doors.of_facts(next((d.result.facts for d in steps if d.step == doors.ID), {})),
    )


def _marks(home: Home, found: RevocationTrigger, steps: Sequence[JournaledStep]) -> Marks:
    facts: Mapping[str, Mapping[str, Any]] = {done.step: done.result.facts for done in steps}
    denied = facts.get("deny", {}).get("at")
    gone = [_at(facts_of["gone_at"]) for facts_of in facts.values() if facts_of.get("gone_at")]
    began = min((done.began_at for done in steps if done.began_at), default=found.at)
    heard = store.arrived(database.path(home.root), found.person, found.reference) if found.reference else None
    return Marks(
        approved=heard[0].toe if heard else found.at,
        received=heard[1] if heard else found.at,
        durable=began,
        denied=max(_at(denied), found.at) if denied else None,  # what ends by itself is denied from that instant on
        last_read=last_read(_accesses(home, found), found.person),
        last_gone=max(gone, default=None),
    )


def _accesses(home: Home, found: RevocationTrigger) -> Iterable[Mapping[str, Any]]:
    """Yield the newest accesses of the person that the log let through, of the areas it is about."""
    for row in query(home.index, Filter(person=found.person, kind="access", verdict="allow", limit=_LOOKED)):
        if not found.areas or row.entry.get("area") in found.areas:
            yield row.entry


def _at(word: str) -> datetime:
    return datetime.fromisoformat(word)
