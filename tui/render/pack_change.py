"""The changes another rule pack would make, before it is in force.

Rules of this file: pure. Rules are called by their titles, settings by their names in the text of the pack. Dropped
requirements stand first, so that the user notices an unintended one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from agent.presentation.terms import YES_NO, word
from rules.model import Level
from rules.pack.model import RuleSource
from rules.pack.reader import Pack, PackProblem, check, load
from rules.text import Message, Sentence, Text, foreign, labelled
from tui.render.plan import PlanLine, PlanPage

_FAMILIES = {
    "domains": Message("common.domain"),
    "records": Message("common.kind-record"),
    "hours": Message("common.schedule"),
    "approvers": Message("tui.approver"),
    "handover": Message("tui.pack-hand-over-line"),
    "signatures": Message("tui.pack-signature"),
}
_NO_RULE = frozenset({"name", "version", "title", "digest", "rules", "clauses", "planned", *_FAMILIES})
_SOURCES = frozenset({"title", "clauses", "duties", "site"})  # descriptions and sources, which decide nothing
_NO_DOMAIN = Message("tui.domain-removed-all-denied")


def plan(before: str, after: str, *, name: bool) -> PlanPage:
    """Return the changes from the pack text *before* to *after*; with *name* the user can agree to them.

    A pack with errors is shown with its errors, and the user cannot agree to it.
    """
    problems = check(after)
    if any(problem.severity == "error" for problem in problems):
        title = Message("tui.pack-unusable")
        return PlanPage(title, [_problem(problem) for problem in problems])
    new = load(after)
    lines = [*changes(load(before), new), *(_problem(problem) for problem in problems)]
    title = Message("tui.use-pack", pack=new.id)
    if before == after:
        return PlanPage(title, [PlanLine(Message("tui.pack-already-in-force"), "info")])
    lines = lines or [PlanLine(Message("tui.only-pack-text-changes"), "info")]
    warning = Message("tui.pack-takes-effect-at-once")
    return PlanPage(title, lines, name=new.name if name else "", warning=warning if name else None)


def changes(before: Pack, after: Pack) -> list[PlanLine]:
    """Return the differences, a line each: dropped requirements, added requirements, changed values."""
    old, new = ({rule.id: rule.title for rule in pack.rules} for pack in (before, after))
    lines = [
        PlanLine(labelled(Message("tui.requirement-dropped"), old[rule]), note=rule) for rule in old if rule not in new
    ]
    lines += [
        PlanLine(labelled(Message("tui.requirement-added"), new[rule]), note=rule) for rule in new if rule not in old
    ]
    for family in _FAMILIES:
        lines += _members(family, getattr(before, family), getattr(after, family))
    for table in (setting.name for setting in fields(Pack) if setting.name not in _NO_RULE):
        lines += [PlanLine(text) for text in _settings(table, getattr(before, table), getattr(after, table))]
    return lines


def _members(family: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[PlanLine]:
    """Yield the removed, added and changed members of a family."""
    called = _FAMILIES[family]
    if names := [_title(name, member) for name, member in before.items() if name not in after]:
        note = _NO_DOMAIN if family == "domains" else None
        yield PlanLine(Message("tui.pack-removes", family=called, names=names), note=note)
    if names := [_title(name, member) for name, member in after.items() if name not in before]:
        yield PlanLine(Message("tui.pack-adds", family=called, names=names))
    for name in sorted(before.keys() & after.keys()):
        yield from map(PlanLine, _settings(name, before[name], after[name]))


def _title(name: str, member: object) -> Sentence:
    text = member if isinstance(member, Message | Text) else getattr(member, "title", None)
    return text if isinstance(text, Message | Text) else _setting_text(name)


def _settings(table: str, before: object, after: object) -> Iterator[Sentence]:
    """Yield the changed values of one table. An added or removed table is a rule, and reported as one."""
    if isinstance(before, RuleSource) and isinstance(after, RuleSource):
        for setting in fields(before):
            if setting.name not in _SOURCES:
                yield from _changed(
                    f"{table}.{setting.name}", getattr(before, setting.name), getattr(after, setting.name)
                )
    elif before is not None and after is not None and not isinstance(before, Message | Text):
        yield from _changed(table, before, after)


def _changed(name: str, before: object, after: object) -> Iterator[Sentence]:
    if before != after:
        yield Message("common.changed-from-to", name=name, before=_setting_text(before), after=_setting_text(after))


def _setting_text(setting: object) -> Sentence:
    """Return the value of a setting: in words where there are any, else as in the text of a pack."""
    if isinstance(setting, Message | Text):
        return setting
    if isinstance(setting, Level):
        return setting.text
    if isinstance(setting, bool):
        return word(YES_NO, "yes" if setting else "no")
    if isinstance(setting, Mapping):
        pairs = [(_setting_text(key), _setting_text(inner)) for key, inner in setting.items()]
        return _joined([Message("common.set-to", name=key, value=inner) for key, inner in pairs])
    if isinstance(setting, set | frozenset):
        return _joined([_setting_text(member) for member in sorted(setting, key=str)])
    if isinstance(setting, list | tuple):
        return _joined(list(map(_setting_text, setting)))
    return foreign(str(setting))


def _joined(texts: Sequence[Sentence]) -> Sentence:
    return Message("common.list", parts=texts) if texts else foreign("-")


def _problem(problem: PackProblem) -> PlanLine:
    text = Message("tui.pack-line", line=problem.line, text=problem.text)
    return PlanLine(text, "refused" if problem.severity == "error" else "info", problem.hint)
