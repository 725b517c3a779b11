"""Excess alarms: an entry and an alarm for each uid over its budget, with the person if the uid has one.

Rules of this file: the entry comes first, then the alarm, unless one about the same subject is still open. Belongs to
the thread of acts.
"""

import time
from datetime import timedelta

from agent.control.reception.over_budget import OTHERS, OverBudget
from agent.control.services import ControlServices
from agent.language.catalogue import both
from rules.text import Message, Sentence

OVER_BUDGET = "over-budget"  # the kind of the entry and of the alarm


def tell(services: ControlServices, over: OverBudget) -> None:
    """Record a uid over its budget. Raises :class:`agent.errors.ShoumiError` on failure."""
    site = services.site
    person = site.facts.person_of_uid(over.uid) if over.uid != OTHERS else None
    subject = _subject(over.uid, person)
    text = over.text(subject)
    since = site.now() - timedelta(seconds=time.monotonic() - over.since)
    fields = {
        "kind": OVER_BUDGET,
        "alarm": True,
        "uid": None if over.uid == OTHERS else over.uid,
        "person": person,
        "since": since.isoformat(),
        **{excess.value: count for excess, count in over.counts.items()},
        "reason": text.to_json(),
    }
    seq = services.decider.append(fields)
    if any(alarm.kind == OVER_BUDGET and _tells_of(alarm.text, subject) for alarm in site.facts.open_alarms()):
        return
    with services.registry.note(site.now()) as note:
        note.alarms.add(OVER_BUDGET, text, person=person or "", seq=seq)


def _tells_of(text: Sentence, subject: Sentence) -> bool:
    return f"{both(subject).en} " in f"{both(text).en} "


def _subject(uid: int, person: str | None) -> Sentence:
    if uid == OTHERS:
        return Message("control.many-uids")
    return Message("control.person-with-uid", person=person, uid=uid) if person else Message("control.uid", uid=uid)
