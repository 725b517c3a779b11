"""Who is over their budget is an entry and an alarm that names them: the uid, and the person if it is somebody's.

Rules of this file: the entry comes first, then the alarm, unless one about them still waits for somebody. Belongs to
the thread of acts.
"""

import time
from datetime import timedelta

from agent.control.reception.over_budget import OTHERS, OverBudget
from agent.control.services import ControlServices
from rules.text import Text
from rules.visible import visible

OVER_BUDGET = "over-budget"  # the kind of the entry and of the alarm


def tell(services: ControlServices, over: OverBudget) -> None:
    """Write down who is over their budget. Raises :class:`agent.errors.ShoumiError` when that cannot be done."""
    site = services.site
    person = site.facts.person_of_uid(over.uid) if over.uid != OTHERS else None
    who = _who(over.uid, person)
    text = over.text(who)
    since = site.now() - timedelta(seconds=time.monotonic() - over.since)
    fields = {
        "kind": OVER_BUDGET,
        "alarm": True,
        "uid": None if over.uid == OTHERS else over.uid,
        "person": person,
        "since": since.isoformat(),
        **{what.value: count for what, count in over.counts.items()},
        "reason": text.to_json(),
    }
    seq = services.decider.append(fields)
    if any(one.kind == OVER_BUDGET and one.text.en.startswith(f"{who.en} ") for one in site.facts.open_alarms()):
        return
    with services.registry.note(site.now()) as note:
        note.alarms.add(OVER_BUDGET, text, person=person or "", seq=seq)


def _who(uid: int, person: str | None) -> Text:
    if uid == OTHERS:
        return Text("more than 1,000 uids", "一千多个 uid")
    said = f"`{visible(person)}` (uid {uid})" if person else f"uid {uid}"
    return Text(said, said)
