"""What another rule pack would change, before it is in force.

Rules of this file: pure. Rules are called by their titles, settings by the names they have in the pack's text. What is
asked no longer stands first: that is what somebody should have meant.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from agent.presentation.terms import YES_NO, word
from rules.model import Level
from rules.pack.model import RuleSource
from rules.pack.reader import Pack, PackProblem, check, load
from rules.text import Text
from rules.visible import visible
from tui.render.plan import PlanLine, PlanPage

_FAMILIES = {
    "domains": Text("domain", "秘密种类"),
    "records": Text("kind of record", "档案种类"),
    "hours": Text("schedule", "时间表"),
    "approvers": Text("approver", "审批角色"),
    "handover": Text("line of the hand-over list", "移交项"),
    "signatures": Text("document to sign", "签署文件"),
}
_NO_RULE = frozenset({"name", "version", "title", "digest", "rules", "clauses", "planned", *_FAMILIES})
_SOURCES = frozenset({"title", "clauses", "duties", "site"})  # say what it is and where from, and decide nothing
_NO_DOMAIN = Text("everything of it is denied to everybody from then on", "此后该类一律拒绝")


def plan(before: str, after: str, *, name: bool) -> PlanPage:
    """Return what putting the text *after* in the place of *before* comes to; with *name* it is to be agreed to.

    A pack with mistakes is shown as what it is, and never to be agreed to.
    """
    problems = check(after)
    if any(problem.severity == "error" for problem in problems):
        title = Text("this pack cannot be used", "该规则包不可用")
        return PlanPage(title, [_problem(problem) for problem in problems])
    new = load(after)
    lines = [*changes(load(before), new), *(_problem(problem) for problem in problems)]
    said = visible(new.id)
    title = Text(f"put {said} in force", f"启用 {said}")
    if before == after:
        return PlanPage(
            title, [PlanLine(Text("nothing changes: it is the pack in force", "没有变化：与生效的规则包相同"), "info")]
        )
    lines = lines or [
        PlanLine(Text("no rule and no value changes, only the text", "规则与取值均不变，仅文字变化"), "info")
    ]
    warning = Text(
        "from the next open and the next badge on, everybody is judged by it", "从下一次打开或刷卡起，一律按其判定"
    )
    return PlanPage(title, lines, name=new.name if name else "", warning=warning if name else None)


def changes(before: Pack, after: Pack) -> list[PlanLine]:
    """Return what is different, a line each: what is asked no longer, what is asked besides, which values change."""
    old, new = ({rule.id: rule.title for rule in pack.rules} for pack in (before, after))
    lines = [PlanLine(_said("asked no longer", "不再要求", old[rule]), note=rule) for rule in old if rule not in new]
    lines += [PlanLine(_said("asked besides", "新增要求", new[rule]), note=rule) for rule in new if rule not in old]
    for family in _FAMILIES:
        lines += _members(family, getattr(before, family), getattr(after, family))
    for table in (one.name for one in fields(Pack) if one.name not in _NO_RULE):
        lines += [PlanLine(text) for text in _settings(table, getattr(before, table), getattr(after, table))]
    return lines


def _members(family: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[PlanLine]:
    """Yield what of a family is gone, what is new, and which of its values change."""
    called = _FAMILIES[family]
    for some, than, en, zh in ((before, after, "gone", "取消"), (after, before, "new", "新增")):
        if names := [_title(name, one) for name, one in some.items() if name not in than]:
            yield PlanLine(_said(f"{en}: {called.en}", f"{zh}{called.zh}", _joined(names)), note=_lost(family, en))
    for name in sorted(before.keys() & after.keys()):
        yield from map(PlanLine, _settings(name, before[name], after[name]))


def _lost(family: str, en: str) -> Text | None:
    return _NO_DOMAIN if (family, en) == ("domains", "gone") else None


def _title(name: str, one: object) -> Text:
    text = one if isinstance(one, Text) else getattr(one, "title", None)
    return text if isinstance(text, Text) else _value(name)


def _settings(table: str, before: object, after: object) -> Iterator[Text]:
    """Yield which values of one table change. A table that comes or goes is a rule, and said as one."""
    if isinstance(before, RuleSource) and isinstance(after, RuleSource):
        for one in fields(before):
            if one.name not in _SOURCES:
                yield from _changed(f"{table}.{one.name}", getattr(before, one.name), getattr(after, one.name))
    elif before is not None and after is not None and not isinstance(before, Text):
        yield from _changed(table, before, after)


def _changed(name: str, before: object, after: object) -> Iterator[Text]:
    if before != after:
        said, was, will = visible(name), _value(before), _value(after)
        yield Text(f"`{said}`: {was.en} → {will.en}", f"`{said}`：{was.zh} → {will.zh}")


def _value(value: object) -> Text:
    """Return a value of a setting; words in words, everything else as it stands in the text of a pack."""
    if isinstance(value, Text):
        return Text(visible(value.en), visible(value.zh))
    if isinstance(value, Level):
        return value.text
    if isinstance(value, bool):
        return word(YES_NO, "yes" if value else "no")
    if isinstance(value, Mapping):
        pairs = [(_value(key), _value(inner)) for key, inner in value.items()]
        return _joined([Text(f"{key.en} = {inner.en}", f"{key.zh} = {inner.zh}") for key, inner in pairs])
    if isinstance(value, set | frozenset):
        return _joined(sorted(map(_value, value)))
    if isinstance(value, list | tuple):
        return _joined(list(map(_value, value)))
    said = visible(str(value))
    return Text(said, said)


def _joined(texts: Sequence[Text]) -> Text:
    return Text(", ".join(one.en for one in texts) or "-", "、".join(one.zh for one in texts) or "-")


def _problem(problem: PackProblem) -> PlanLine:
    text = Text(f"line {problem.line}: {problem.text.en}", f"第 {problem.line} 行：{problem.text.zh}")
    return PlanLine(text, "refused" if problem.severity == "error" else "info", problem.hint)


def _said(en: str, zh: str, title: Text) -> Text:
    return Text(f"{en}: {title.en}", f"{zh}：{title.zh}")
