"""Records 档案: the dated records a person needs before access (vetting, training, signatures …), by kind.

Rules of this file: the latest record of a kind decides, so a failed exam voids the passed one before it; of two records
of the same instant the worse one counts. Requirements depend on the resource, never on the level of the person: a lower
level must not require less and so open more.
"""

from datetime import datetime, timedelta

from rules.checks.grants import obstacle
from rules.checks.visits import UNDER_ESCORT, on_visit
from rules.evaluation import RuleContext
from rules.model import Record, RuleResult
from rules.pack.model import RecordKind
from rules.text import Message, Sentence


def record(case: RuleContext, name: str, kind: RecordKind) -> RuleResult | None:
    """The person has a passed, still valid record of *kind*, of each topic the pack names."""
    if case.resource.level < kind.from_level or (kind.domains and case.resource.domain not in kind.domains):
        return None
    if not kind.temporary and obstacle(case, temporary=True) is None:
        return case.ok(name, Message("rules.not-required-for-temporary-grant"))
    if on_visit(case):
        return case.ok(name, UNDER_ESCORT)
    begun = [entry for entry in case.person.records if entry.kind == name and case.clock.reached(entry.on)]
    for topic in kind.topics or (None,):
        entries = [entry for entry in begun if topic is None or entry.topic == topic]
        trouble = _trouble(case, kind, entries)
        if trouble is not None:
            return case.deny(name, _about(trouble, kind, topic), _renewed(kind))
    return case.ok(name, Message("rules.record-valid", title=kind.title))


def _trouble(case: RuleContext, kind: RecordKind, entries: list[Record]) -> Sentence | None:
    """Return why *entries*, of one kind and topic and already begun, do not satisfy *kind*; ``None`` if they do."""
    if not entries:
        return _MISSING
    latest = max(entry.on for entry in entries)
    newest = [entry for entry in entries if entry.on == latest]
    if not all(entry.passed for entry in newest):
        return _FAILED
    moved = case.person.post_changed_at
    if kind.after_post_change and moved is not None and latest < moved and case.clock.reached(moved):
        return _OLD_POST
    ends = [entry.valid_until for entry in newest if entry.valid_until is not None]
    if kind.valid_days:
        ends.append(latest + timedelta(days=kind.valid_days))
    if ends and case.clock.reached(min(ends)):
        return _EXPIRED
    if not all(_preceded(case, earlier, latest) for earlier in kind.after):
        return _OUT_OF_ORDER
    return None


def _preceded(case: RuleContext, kind: str, latest: datetime) -> bool:
    """Whether some passed record of *kind* is dated no later than *latest*: the steps were taken in order."""
    return any(entry.kind == kind and entry.passed and entry.on <= latest for entry in case.person.records)


def _about(trouble: Sentence, kind: RecordKind, topic: str | None) -> Sentence:
    if topic is None:
        return Message("common.labelled", label=kind.title, text=trouble)
    title = Message("common.with-note", text=kind.title, more=topic)
    return Message("common.labelled", label=title, text=trouble)


def _renewed(kind: RecordKind) -> Sentence:
    return Message("rules.record-required", title=kind.title)


_MISSING = Message("rules.no-record")
_FAILED = Message("rules.latest-record-not-passed")
_OLD_POST = Message("rules.record-before-change-post")
_EXPIRED = Message("rules.record-expired")
_OUT_OF_ORDER = Message("rules.earlier-step-missing")
