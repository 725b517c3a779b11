"""Checks of leave dates that were not carried out: the person is denied, but the files they hold were not released.

Rules of this file: the registry is read; a control process that is just starting has one minute.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.api.findings import Finding
from agent.registry.queries.registry_queries import RegistryQueries
from rules.text import Message
from rules.visible import visible

_PATIENCE = timedelta(minutes=1)


def overdue(lists: RegistryQueries, now: datetime) -> Iterator[Finding]:
    """Yield every offboarding case whose leave date passed more than a minute ago and was not carried out."""
    for case in lists.cases.due(now - _PATIENCE):
        person, when = visible(case.person), f"{case.effective_at:%F %H:%M}Z"
        text = Message("doctor.leave-overdue", person=person, case=case.id, when=when)
        hint = Message("doctor.start-agent-for-leave-date")
        yield Finding("serious", "leave-overdue", text, hint)
