"""Checks of ``doctor`` on the consistency of registry and log.

Rules of this file: as :mod:`agent.doctor.registry_checks`: reading only, and good states are reported too.
"""

from collections.abc import Iterator

from agent.api.findings import Finding
from agent.registry.facts import FactsReader
from agent.registry.lineage import StoreRelation
from agent.registry.stores import OLDER, REMEDY
from rules.text import Message, Sentence


def stores(now: StoreRelation, facts: FactsReader) -> Iterator[Finding]:
    """Yield whether the registry lacks acts of the log, or the reverse."""
    if now.older:
        text: Sentence = Message(
            "doctor.closed-because-registry-older", older=OLDER, facts=facts.epoch(), proven=now.proven
        )
        yield Finding("serious", "registry-older", text, REMEDY)
    elif now.log_short:
        text = Message("doctor.log-older-than-registry", since=now.since)
        yield Finding("serious", "log-older", text, Message("doctor.start-agent-to-record"))
    else:
        yield Finding("good", "stores", Message("common.registry-holds-every-act-log"))
    for alarm in facts.open_alarms():
        if alarm.kind in ("log-older", "signing-key"):
            hint = Message("doctor.acknowledge-alarm", alarm=alarm.id)
            yield Finding("serious", alarm.kind, alarm.text, hint)
    crowding = [alarm for alarm in facts.open_alarms() if alarm.kind == "over-budget"]
    if crowding:
        last, more = crowding[-1], len(crowding) - 1
        text = Message("doctor.text-and-more", text=last.text, count=more) if more else last.text
        yield Finding("warning", "over-budget", text, Message("doctor.shoumi-alarm-list"))
