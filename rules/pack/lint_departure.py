"""Lint of the offboarding tables: approval chain, notice and measures.

Rules of this file: each check is one small generator over the complete pack. A chain without approvers would end access
without an approval, so it is an error; an approver in no chain has no effect, so it is a warning.
"""

from collections.abc import Iterator

from rules.offboarding.measure import MeasureKind
from rules.offboarding.vocabulary import CaseKind
from rules.pack.model import Pack
from rules.pack.problem import LintFinding
from rules.pack.values import nearest, quoted
from rules.text import Message

_PRINTED_DAYS = ("D20-A.6.1", 30)


def chain(pack: Pack) -> Iterator[LintFinding]:
    """Every name in the chain is an approver, every approver is in the chain, and every kind has an approver."""
    rule, path = pack.departure_case, ("departure_case", "chain")
    for name in rule.chain:
        if name not in pack.approvers:
            text = Message("pack.approver-missing", approver=quoted(name))
            yield LintFinding(path, text, nearest(name, tuple(pack.approvers)))
    for name in pack.approvers:
        if name not in rule.chain:
            text = Message("pack.approver-not-in-chain", approver=quoted(name))
            hint = Message("pack.add-to-chain")
            yield LintFinding(("approvers", name), text, hint, "warning")
    places = [pack.approvers[name] for name in rule.chain if name in pack.approvers]
    for kind in CaseKind:
        if places and kind not in rule.immediate and all(place.kinds and kind not in place.kinds for place in places):
            text = Message("pack.kind-without-approver", kind=kind.text)
            yield LintFinding(path, text, Message("pack.name-approver-for-kind"))


def notice(pack: Pack) -> Iterator[LintFinding]:
    """A notice period that cites the clause is not shorter than the clause prescribes."""
    rule, (clause, printed) = pack.departure_case, _PRINTED_DAYS
    if clause in rule.clauses and rule.notice_days < printed:
        text = Message("pack.notice-too-short", clause=clause, printed=printed)
        hint = Message("pack.write-at-least", printed=printed)
        yield LintFinding(("departure_case", "notice_days"), text, hint)


def measures(pack: Pack) -> Iterator[LintFinding]:
    """Only return visits have an interval, and only people who leave the unit are entrusted to another body."""
    for name, rule in pack.measures.items():
        if rule.every_days and rule.kind is not MeasureKind.VISIT:
            text = Message("pack.interval-without-effect")
            hint = Message("pack.delete-every-days")
            yield LintFinding(("measures", name, "every_days"), text, hint, "warning")
        staying = sorted(kind for kind in rule.kinds if not kind.leaves_unit)
        if rule.kind is MeasureKind.ENTRUST and staying:
            text = Message("pack.kind-stays-in-unit", staying=staying[0])
            yield LintFinding(("measures", name, "kinds"), text, Message("pack.delete-setting"), "warning")
