"""Can every rule of a pack ever decide? Thresholds nothing reaches, windows that never open, settings without effect.

Rules of this file: each doubt is one small generator over the finished pack. An ``error`` would deny other than it
looks; a ``warning`` does nothing at all.
"""

from collections.abc import Iterator
from itertools import pairwise

from rules.model import Employment, Level
from rules.pack.model import Pack
from rules.pack.problem import LintFinding, Path
from rules.text import Text

_PRINTED_DAYS = ("D01-2.2", 90)  # the one length that a regulation prints


def levels(pack: Pack) -> Iterator[LintFinding]:
    """A threshold of ``none`` says less than it seems: nothing without a level is ever opened."""
    named: list[tuple[Path, Level]] = [(("grant", "from_level"), pack.grant.from_level)]
    named += [(("records", kind, "from_level"), rule.from_level) for kind, rule in pack.records.items()]
    for name, rule in (("two_person", pack.two_person), ("in_room", pack.in_room), ("wire", pack.wire)):
        if rule:
            named.append(((name, "from_level"), rule.from_level))
    text = Text("no threshold: nothing without a level is opened", "“无”不是门槛：未定密级者一律不开放")
    for path, level in named:
        if level is Level.NONE:
            yield LintFinding(path, text, Text("write `internal`", "请写 `internal`"), "warning")


def temporary(pack: Pack) -> Iterator[LintFinding]:
    """What is said about temporary grants must be able to happen."""
    rule, (clause, printed) = pack.temp_auth, _PRINTED_DAYS
    if rule.enabled and rule.max_days == 0:
        text = Text("with 0 days no temporary grant can count", "0 天则临时授权都不算数")
        hint = Text("write 1 or more, or `enabled = false`", "请写 1 以上，或 `enabled = false`")
        yield LintFinding(("temp_auth", "max_days"), text, hint)
    if rule.enabled and rule.max_level is Level.NONE:
        text = Text("with `none` no temporary grant can count", "“无”则临时授权都不算数")
        hint = Text("write `internal` or higher, or `enabled = false`", "请写 `internal` 以上，或 `enabled = false`")
        yield LintFinding(("temp_auth", "max_level"), text, hint)
    if clause in rule.clauses and rule.max_days > printed:
        text = Text(f"{clause} prints at most {printed} days", f"{clause} 规定最多 {printed} 天")
        hint = Text(f"write {printed} or less, or do not name the clause", f"请写不超过 {printed}，或不列该条款")
        yield LintFinding(("temp_auth", "max_days"), text, hint)


def visits(pack: Pack) -> Iterator[LintFinding]:
    """What is said about visits must be able to happen."""
    rule, (clause, printed) = pack.visit, _PRINTED_DAYS
    if rule is None:
        return
    if rule.max_days == 0:
        text = Text("with 0 days no visit can count", "0 天则来访都不算数")
        hint = Text("write 1 or more, or drop the table", "请写 1 以上，或删去此表")
        yield LintFinding(("visit", "max_days"), text, hint)
    if rule.max_level is Level.NONE:
        text = Text("with `none` no visit can count", "“无”则来访都不算数")
        hint = Text("write `internal` or higher, or drop the table", "请写 `internal` 以上，或删去此表")
        yield LintFinding(("visit", "max_level"), text, hint)
    if clause in rule.clauses and rule.max_days > printed:
        text = Text(f"{clause} prints at most {printed} days", f"{clause} 规定最多 {printed} 天")
        hint = Text(f"write {printed} or less, or do not name the clause", f"请写不超过 {printed}，或不列该条款")
        yield LintFinding(("visit", "max_days"), text, hint)


def temporary_unused(pack: Pack) -> Iterator[LintFinding]:
    """Exceptions for temporary grants do nothing while there are none."""
    if pack.temp_auth.enabled:
        return
    text = Text("temporary grants are off: this has no effect", "临时授权未启用：此设置无效")
    hint = Text("set `enabled = true` in [temp_auth]", "在 [temp_auth] 中写 `enabled = true`")
    if pack.employment and pack.employment.temp_auth:
        yield LintFinding(("employment", "temp_auth"), text, hint, "warning")
    for kind, record in pack.records.items():
        if not record.temporary:
            yield LintFinding(("records", kind, "temporary"), text, hint, "warning")


def hours(pack: Pack) -> Iterator[LintFinding]:
    """A schedule must be open at some time, and its windows apart."""
    never = Text("never open: everything with these hours is denied", "永不开放：使用此时间的一律拒绝")
    for name, schedule in pack.hours.items():
        if not schedule.weekdays:
            hint = Text("name a weekday, such as `mon`", "请写星期，例如 `mon`")
            yield LintFinding(("hours", name, "weekdays"), never, hint)
        if not schedule.windows:
            hint = Text("add a window, such as `08:30-17:30`", "请加时段，例如 `08:30-17:30`")
            yield LintFinding(("hours", name, "windows"), never, hint)
        if any(later[0] < earlier[1] for earlier, later in pairwise(sorted(schedule.windows))):
            text, hint = Text("two windows overlap", "两个时段重叠"), Text("join them into one", "请合并为一段")
            yield LintFinding(("hours", name, "windows"), text, hint, "warning")


def idle(pack: Pack) -> Iterator[LintFinding]:
    """A rule that is switched on and asks for nothing, or bars everybody."""
    text = Text("the table asks for nothing: it has no effect", "该表未提任何要求：无效")
    hint = Text("fill it in, or drop the table", "请填写，或删去此表")
    if pack.marking and not (pack.marking.period or pack.marking.scope):
        yield LintFinding(("marking",), text, hint, "warning")
    if pack.barred and not any(pack.barred.labels.values()):
        yield LintFinding(("barred",), text, hint, "warning")
    if pack.employment and not pack.employment.deny:
        yield LintFinding(("employment",), text, hint, "warning")
    if pack.employment and pack.employment.deny == frozenset(Employment):
        text = Text("every employment is barred: everybody is denied", "各种用工形式均被排除：一律拒绝")
        yield LintFinding(("employment", "deny"), text, Text("leave out `regular`", "请去掉 `regular`"))
