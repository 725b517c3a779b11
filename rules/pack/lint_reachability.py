"""Lint of reachability: thresholds without effect, windows that never open, settings without effect.

Rules of this file: each check is one small generator over the complete pack. An ``error`` would deny other than it
reads; a ``warning`` has no effect.
"""

from collections.abc import Iterator
from itertools import pairwise

from rules.model import Employment, Level
from rules.pack.model import Pack
from rules.pack.problem import LintFinding, Path
from rules.text import Message

_PRINTED_DAYS = ("D01-2.2", 90)  # the only length that a regulation prescribes


def levels(pack: Pack) -> Iterator[LintFinding]:
    """A threshold of ``none`` has no effect: nothing without a level is ever opened."""
    named: list[tuple[Path, Level]] = [(("grant", "from_level"), pack.grant.from_level)]
    named += [(("records", kind, "from_level"), rule.from_level) for kind, rule in pack.records.items()]
    for name, rule in (("two_person", pack.two_person), ("in_room", pack.in_room), ("wire", pack.wire)):
        if rule:
            named.append(((name, "from_level"), rule.from_level))
    text = Message("pack.threshold-none")
    for path, level in named:
        if level is Level.NONE:
            yield LintFinding(path, text, Message("pack.write-internal"), "warning")


def temporary(pack: Pack) -> Iterator[LintFinding]:
    """Temporary grants must be possible under their settings."""
    rule, (clause, printed) = pack.temp_auth, _PRINTED_DAYS
    if rule.enabled and rule.max_days == 0:
        text = Message("pack.temporary-grant-zero-days")
        hint = Message("pack.write-one-or-disable")
        yield LintFinding(("temp_auth", "max_days"), text, hint)
    if rule.enabled and rule.max_level is Level.NONE:
        text = Message("pack.temporary-grant-level-none")
        hint = Message("pack.write-internal-or-disable")
        yield LintFinding(("temp_auth", "max_level"), text, hint)
    if clause in rule.clauses and rule.max_days > printed:
        text = Message("pack.period-too-long", clause=clause, printed=printed)
        hint = Message("pack.write-at-most", printed=printed)
        yield LintFinding(("temp_auth", "max_days"), text, hint)


def visits(pack: Pack) -> Iterator[LintFinding]:
    """Visits must be possible under their settings."""
    rule, (clause, printed) = pack.visit, _PRINTED_DAYS
    if rule is None:
        return
    if rule.max_days == 0:
        text = Message("pack.visit-zero-days")
        hint = Message("pack.write-one-or-delete-table")
        yield LintFinding(("visit", "max_days"), text, hint)
    if rule.max_level is Level.NONE:
        text = Message("pack.visit-level-none")
        hint = Message("pack.write-internal-or-delete-table")
        yield LintFinding(("visit", "max_level"), text, hint)
    if clause in rule.clauses and rule.max_days > printed:
        text = Message("pack.period-too-long", clause=clause, printed=printed)
        hint = Message("pack.write-at-most", printed=printed)
        yield LintFinding(("visit", "max_days"), text, hint)


def temporary_unused(pack: Pack) -> Iterator[LintFinding]:
    """Exceptions for temporary grants have no effect while such grants are disabled."""
    if pack.temp_auth.enabled:
        return
    text = Message("pack.temporary-grants-disabled")
    hint = Message("pack.enable-temporary-grants")
    if pack.employment and pack.employment.temp_auth:
        yield LintFinding(("employment", "temp_auth"), text, hint, "warning")
    for kind, record in pack.records.items():
        if not record.temporary:
            yield LintFinding(("records", kind, "temporary"), text, hint, "warning")


def hours(pack: Pack) -> Iterator[LintFinding]:
    """A schedule must be open at some time, and its windows apart."""
    never_open = Message("pack.schedule-never-open")
    for name, schedule in pack.hours.items():
        if not schedule.weekdays:
            hint = Message("pack.add-weekday")
            yield LintFinding(("hours", name, "weekdays"), never_open, hint)
        if not schedule.windows:
            hint = Message("pack.add-window")
            yield LintFinding(("hours", name, "windows"), never_open, hint)
        if any(later[0] < earlier[1] for earlier, later in pairwise(sorted(schedule.windows))):
            text, hint = Message("pack.windows-overlap"), Message("pack.join-windows")
            yield LintFinding(("hours", name, "windows"), text, hint, "warning")


def idle(pack: Pack) -> Iterator[LintFinding]:
    """A rule that is switched on must require something and must not bar everyone."""
    text = Message("pack.table-without-effect")
    hint = Message("pack.fill-or-delete-table")
    if pack.marking and not (pack.marking.period or pack.marking.scope):
        yield LintFinding(("marking",), text, hint, "warning")
    if pack.barred and not any(pack.barred.labels.values()):
        yield LintFinding(("barred",), text, hint, "warning")
    if pack.employment and not pack.employment.deny:
        yield LintFinding(("employment",), text, hint, "warning")
    if pack.employment and pack.employment.deny == frozenset(Employment):
        text = Message("pack.every-employment-barred")
        yield LintFinding(("employment", "deny"), text, Message("pack.delete-regular"))
