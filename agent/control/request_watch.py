"""Request watch: an entry and an alarm when no more requests of people are accepted.

Rules of this file: the entry comes first, then the alarm, unless one like it is still open. It names the department
with the most requests, because each person may have only a few. Belongs to the thread of acts.
"""

from agent.control.reception.excess_alarms import OVER_BUDGET
from agent.control.services import ControlServices
from agent.language.catalogue import both
from agent.registry.repositories.proposals import MOST_REQUESTS
from rules.text import Message, Sentence, series

_FULL = Message("control.requests-full", count=MOST_REQUESTS)


class RequestWatch:
    """Checks the number of requests periodically."""

    def __init__(self, services: ControlServices) -> None:
        self._services = services

    def step(self) -> None:
        """Check once. Raises :class:`agent.errors.ShoumiError` when it cannot be recorded; the next check retries."""
        services, site = self._services, self._services.site
        if site.stores.now.older:
            return
        asking = site.lists.proposals.asking()
        waiting = sum(asking.values())
        already_open = any(
            alarm.kind == OVER_BUDGET and both(alarm.text).en.startswith(both(_FULL).en)
            for alarm in site.facts.open_alarms()
        )
        if waiting < MOST_REQUESTS or already_open:
            return
        department, most = max(asking.items(), key=lambda pair: pair[1])
        text = _full_text(department, most)
        fields = {"kind": OVER_BUDGET, "alarm": True, "uid": None, "person": None, "reason": text.to_json()}
        seq = services.decider.append({**fields, "requests": waiting, "department": department})
        with services.registry.note(site.now()) as note:
            note.alarms.add(OVER_BUDGET, text, seq=seq)


def _full_text(department: str, most: int) -> Sentence:
    of = Message("control.department", department=department) if department else Message("control.no-department")
    return series([_FULL, Message("control.requests-mostly-of", most=most, department=of)])
