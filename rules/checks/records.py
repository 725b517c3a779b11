"""档案: the dated facts a person needs before access (vetting, training, signatures …), by record kind.

Rules of this file: the latest record of a kind decides, so a failed exam voids the passed one before it; of two records
of the same instant the worse one counts. What is asked depends on the resource, never on the person's level: a lower
level must not ask for less and so open more.
"""

from datetime import datetime, timedelta

from rules.checks.grants import obstacle
from rules.checks.visits import UNDER_ESCORT, on_visit
from rules.evaluation import RuleContext
from rules.model import Record, RuleResult
from rules.pack.model import RecordKind
from rules.text import Text
from rules.visible import visible


def record(case: RuleContext, name: str, kind: RecordKind) -> RuleResult | None:
    """The person has a passed, still valid record of *kind*, of each topic the pack names."""
    if case.resource.level < kind.from_level or (kind.domains and case.resource.domain not in kind.domains):
        return None
    if not kind.temporary and obstacle(case, temporary=True) is None:
        return case.ok(name, Text("not asked of a temporary grant", "临时授权不要求此项"))
    if on_visit(case):
        return case.ok(name, UNDER_ESCORT)
    begun = [entry for entry in case.person.records if entry.kind == name and case.clock.reached(entry.on)]
    for topic in kind.topics or (None,):
        entries = [entry for entry in begun if topic is None or entry.topic == topic]
        trouble = _trouble(case, kind, entries)
        if trouble is not None:
            return case.deny(name, _about(trouble, kind, topic), _renewed(kind))
    return case.ok(name, Text(f"{kind.title.en}: valid", f"{kind.title.zh}：有效"))


def _trouble(case: RuleContext, kind: RecordKind, entries: list[Record]) -> Text | None:
    """Return why *entries*, all of one kind and topic and begun, do not satisfy *kind*; ``None`` if they do."""
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
    if not all(_preceded(case, other, latest) for other in kind.after):
        return _OUT_OF_ORDER
    return None


def _preceded(case: RuleContext, kind: str, latest: datetime) -> bool:
    """Whether some passed record of *kind* is dated no later than *latest*: the steps were taken in order."""
    return any(entry.kind == kind and entry.passed and entry.on <= latest for entry in case.person.records)


def _about(trouble: Text, kind: RecordKind, topic: str | None) -> Text:
    if topic is None:
        return Text(f"{kind.title.en}: {trouble.en}", f"{kind.title.zh}：{trouble.zh}")
    return Text(
        f"{kind.title.en} ({visible(topic)}): {trouble.en}", f"{kind.title.zh}（{visible(topic)}）：{trouble.zh}"
    )


def _renewed(kind: RecordKind) -> Text:
    return Text(f"{kind.title.en} is passed and recorded", f"通过并登记{kind.title.zh}")


_MISSING = Text("no record", "没有记录")
_FAILED = Text("the latest record is not passed", "最近一次未通过")
_OLD_POST = Text("the record is from before the change of post", "记录早于岗位变动")
_EXPIRED = Text("the record is no longer valid", "记录已过有效期")
_OUT_OF_ORDER = Text("a step that comes before it is missing", "缺少前置步骤")
