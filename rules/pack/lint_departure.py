"""Can a departure be approved under a pack, and by whom? What is asked of the meaning of its departure tables.

Rules of this file: each doubt is one small generator over the finished pack. A chain that asks nobody would end access
on nobody's word, so it is an error; a place in no chain does nothing, so it is a warning.
"""

from collections.abc import Iterator

from rules.offboarding.measure import MeasureKind
from rules.offboarding.vocabulary import CaseKind
from rules.pack.model import Pack
from rules.pack.problem import LintFinding
from rules.pack.values import nearest, quoted
from rules.text import Text

_PRINTED_DAYS = ("D20-A.6.1", 30)


def chain(pack: Pack) -> Iterator[LintFinding]:
    """Every place of the chain is described, every described one is in it, and no kind is approved by nobody."""
    rule, path = pack.departure_case, ("departure_case", "chain")
    for name in rule.chain:
        if name not in pack.approvers:
            said = quoted(name)
            text = Text(f"[approvers] has no {said}", f"[approvers] 中没有 {said}")
            yield LintFinding(path, text, nearest(name, tuple(pack.approvers)))
    for name in pack.approvers:
        if name not in rule.chain:
            said = quoted(name)
            text = Text(f"{said} is not in the chain: never asked", f"{said} 不在审批链中：不会被征询")
            hint = Text("add it to `chain` in [departure_case]", "请列入 [departure_case] 的 `chain`")
            yield LintFinding(("approvers", name), text, hint, "warning")
    places = [pack.approvers[name] for name in rule.chain if name in pack.approvers]
    for kind in CaseKind:
        if places and kind not in rule.immediate and all(place.kinds and kind not in place.kinds for place in places):
            text = Text(f"nobody approves a departure by `{kind}`", f"“{kind.text.zh}”无人审批")
            yield LintFinding(path, text, Text("let somebody in the chain approve it", "请在审批链中指定审批人"))


def notice(pack: Pack) -> Iterator[LintFinding]:
    """The one length of notice that a regulation prints is not undercut in its name."""
    rule, (clause, printed) = pack.departure_case, _PRINTED_DAYS
    if clause in rule.clauses and rule.notice_days < printed:
        text = Text(f"{clause} prints at least {printed} days", f"{clause} 规定至少提前 {printed} 天")
        hint = Text(f"write {printed} or more, or do not name the clause", f"请写不少于 {printed}，或不列该条款")
        yield LintFinding(("departure_case", "notice_days"), text, hint)


def measures(pack: Pack) -> Iterator[LintFinding]:
    """An interval is of visits, and only who leaves the unit is entrusted to another keeper."""
    for name, rule in pack.measures.items():
        if rule.every_days and rule.kind is not MeasureKind.VISIT:
            text = Text("only visits have an interval: no effect", "仅回访有间隔：此设置无效")
            hint = Text("leave out `every_days`", "请去掉 `every_days`")
            yield LintFinding(("measures", name, "every_days"), text, hint, "warning")
        staying = sorted(kind for kind in rule.kinds if not kind.leaves_unit)
        if rule.kind is MeasureKind.ENTRUST and staying:
            text = Text(
                f"`{staying[0]}` stays with the unit, which keeps the period",
                f"`{staying[0]}` 仍在本单位，由本单位管理",
            )
            yield LintFinding(("measures", name, "kinds"), text, Text("leave it out", "请去掉"), "warning")
