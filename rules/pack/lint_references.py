"""Lint of references: domains, classes, record kinds and clauses that a pack names.

Rules of this file: each check is one small generator over the complete pack; the grammar has been checked before.
"""

import re
from collections.abc import Iterator

from rules.model import Level
from rules.pack.catalogue import TITLES
from rules.pack.model import Pack, RuleSource
from rules.pack.problem import LintFinding, Path
from rules.pack.schema import FAMILIES, TABLES
from rules.pack.values import nearest, quoted
from rules.text import Message

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_PLAIN = Message("pack.name-format")


def names(pack: Pack) -> Iterator[LintFinding]:
    """Names appear in verdicts and logs, where two names must not look alike."""
    named: list[tuple[Path, str]] = [(("name",), pack.name)]
    for family in ("domains", *FAMILIES):
        named += [((family, name), name) for name in getattr(pack, family)]
    for path, name in named:
        if not _NAME.fullmatch(name):
            yield LintFinding(path, Message("pack.name-not-plain", name=quoted(name)), _PLAIN)
        elif path[0] == "records" and name in TITLES:
            text = Message("pack.name-taken-by-rule", name=name)
            yield LintFinding(path, text, Message("pack.rename-record-kind"))


def domains(pack: Pack) -> Iterator[LintFinding]:
    """A rule limited to an undeclared domain would never apply."""
    if not pack.domains:
        text = Message("pack.domains-missing")
        yield LintFinding(("domains",), text, Message("pack.add-domain"))
    named: list[tuple[Path, str]] = []
    for kind, rule in pack.records.items():
        named += [(("records", kind, "domains"), domain) for domain in rule.domains]
    if pack.employment:
        named += [(("employment", "domains"), domain) for domain in pack.employment.domains]
    named += [(("departure_case", "cooling_off"), domain) for domain in pack.departure_case.cooling_off]
    named += [(("level", "map", domain), domain) for domain in pack.level.map]
    if pack.barred:
        named += [(("barred", "labels", domain), domain) for domain in pack.barred.labels]
    for path, domain in named:
        if domain not in pack.domains:
            hint = nearest(domain, tuple(pack.domains))
            yield LintFinding(path, Message("pack.domain-not-declared", domain=quoted(domain)), hint)


def labels(pack: Pack) -> Iterator[LintFinding]:
    """A barred class and the map of classes must agree."""
    for domain, labels in (pack.barred.labels if pack.barred else {}).items():
        path, table = ("barred", "labels", domain), f"[level.map.{domain}]"
        mapped = pack.level.map.get(domain, {})
        for label in labels:
            if label not in mapped:
                text = Message("pack.label-not-in-table", table=table, label=quoted(label))
                yield LintFinding(path, text, Message("pack.add-to-table", table=table), "warning")
            elif mapped[label] > Level.NONE:
                text = Message("pack.barred-class-has-level", label=quoted(label))
                yield LintFinding(path, text, Message("pack.map-to-none", table=table))


def steps(pack: Pack) -> Iterator[LintFinding]:
    """Ordered steps need existing kinds and an order without a cycle."""
    for kind, record in pack.records.items():
        path = ("records", kind, "after")
        for before in record.after:
            if before not in pack.records:
                text = Message("pack.record-kind-missing", kind=quoted(before))
                yield LintFinding(path, text, nearest(before, tuple(pack.records)))
            elif _leads_to(pack, before, kind):
                text = Message("pack.steps-circular", first=quoted(kind), second=quoted(before))
                yield LintFinding(path, text, Message("pack.delete-one-of-two"))


def _leads_to(pack: Pack, start: str, goal: str) -> bool:
    visited: set[str] = set()
    ahead = [start]
    while ahead:
        kind = ahead.pop()
        if kind == goal:
            return True
        if kind not in visited and kind in pack.records:
            visited.add(kind)
            ahead += pack.records[kind].after
    return False


def duties(pack: Pack) -> Iterator[LintFinding]:
    """A table that names duties also names clauses."""
    tables: dict[Path, RuleSource | None] = {(name,): getattr(pack, name) for name in TABLES}
    for family in FAMILIES:
        tables |= {(family, name): source for name, source in getattr(pack, family).items()}
    for path, source in tables.items():
        if source and source.duties and not source.clauses:
            text = Message("pack.duty-without-clause")
            yield LintFinding((*path, "duties"), text, Message("pack.add-clauses"))
