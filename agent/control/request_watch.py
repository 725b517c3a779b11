"""The watch over requests of people: when no more are taken, officers hear it as an entry and an alarm.

Rules of this file: the entry comes first, then the alarm, unless one like it still waits for somebody. It names the
department most of them are of, since each person has a few. Belongs to the thread of acts.
"""

from agent.control.reception.excess_alarms import OVER_BUDGET
from agent.control.services import ControlServices
from agent.registry.repositories.proposals import MOST_REQUESTS
from rules.text import Text
from rules.visible import visible

_FULL = f"{MOST_REQUESTS} requests of people wait"


class RequestWatch:
    """Looks again and again."""

    def __init__(self, services: ControlServices) -> None:
        self._services = services

    def step(self) -> None:
        """Look once. Raises :class:`agent.errors.ShoumiError` when it cannot be written down: the next look does."""
        services, site = self._services, self._services.site
        if site.stores.now.older:
            return
        asking = site.lists.proposals.asking()
        waiting = sum(asking.values())
        told = any(one.kind == OVER_BUDGET and one.text.en.startswith(_FULL) for one in site.facts.open_alarms())
        if waiting < MOST_REQUESTS or told:
            return
        department, most = max(asking.items(), key=lambda one: one[1])
        text = _said(department, most)
        fields = {"kind": OVER_BUDGET, "alarm": True, "uid": None, "person": None, "reason": text.to_json()}
        seq = services.decider.append({**fields, "requests": waiting, "department": department})
        with services.registry.note(site.now()) as note:
            note.alarms.add(OVER_BUDGET, text, seq=seq)


def _said(department: str, most: int) -> Text:
    said = f"`{visible(department)}`"
    of = Text(f"department {said}", f"部门 {said}") if department else Text("no department", "未登记部门")
    return Text(
        f"{_FULL}, and no more are taken until officers deal with some; {most} are of people of {of.en}",
        f"{MOST_REQUESTS} 项个人申请待处理，处理之前不再受理；其中 {most} 项来自{of.zh}的人员",
    )
