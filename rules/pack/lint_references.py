"""Do the names in a pack mean something? Domains, classes, record kinds, clauses that refer to one another.

Rules of this file: each doubt is one small generator over the finished pack; it looks at meaning only, the grammar has
been checked before.
"""

import re
from collections.abc import Iterator

from rules.model import Level
from rules.pack.catalogue import TITLES
from rules.pack.model import Pack, RuleSource
from rules.pack.problem import LintFinding, Path
from rules.pack.schema import FAMILIES, TABLES
from rules.pack.values import nearest, quoted
from rules.text import Text
from rules.visible import visible

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_PLAIN = Text("use lower-case letters, digits, `-` and `_`", "请用小写字母、数字、`-` 和 `_`")


def names(pack: Pack) -> Iterator[LintFinding]:
    """Names end up in verdicts and logs, where two things must not look alike."""
    named: list[tuple[Path, str]] = [(("name",), pack.name)]
    for family in ("domains", *FAMILIES):
        named += [((family, name), name) for name in getattr(pack, family)]
    for path, name in named:
        if not _NAME.fullmatch(name):
            yield LintFinding(path, Text(f"{quoted(name)} is no plain name", f"{quoted(name)} 不是简单名称"), _PLAIN)
        elif path[0] == "records" and name in TITLES:
            text = Text(f"`{name}` is the name of a rule", f"`{name}` 是规则名")
            yield LintFinding(path, text, Text("give the record kind another name", "请为该档案种类另取名称"))


def domains(pack: Pack) -> Iterator[LintFinding]:
    """A rule limited to a domain nobody declared would never be asked."""
    if not pack.domains:
        text = Text("no domain is declared: everything is denied", "未列秘密种类：一律拒绝")
        yield LintFinding(("domains",), text, Text("add one, such as `state`", "请至少加一种，例如 `state`"))
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
            said = quoted(domain)
            hint = nearest(domain, tuple(pack.domains))
            yield LintFinding(path, Text(f"no domain {said} is declared", f"未列秘密种类 {said}"), hint)


def labels(pack: Pack) -> Iterator[LintFinding]:
    """A barred class and the map of classes must agree."""
    for domain, labels in (pack.barred.labels if pack.barred else {}).items():
        path, table = ("barred", "labels", domain), f"[level.map.{visible(domain)}]"
        known = pack.level.map.get(domain, {})
        for label in labels:
            said = quoted(label)
            if label not in known:
                text = Text(f"{table} has no class {said}", f"{table} 中没有 {said}")
                yield LintFinding(path, text, Text(f"add it to {table}", f"请列入 {table}"), "warning")
            elif known[label] > Level.NONE:
                text = Text(f"{said} is barred here, yet mapped to a level", f"{said} 既被排除又有密级")
                yield LintFinding(path, text, Text(f"map it to `none` in {table}", f"在 {table} 中写 `none`"))


def steps(pack: Pack) -> Iterator[LintFinding]:
    """Steps in order need kinds that exist, and an order without a circle."""
    for kind, record in pack.records.items():
        path = ("records", kind, "after")
        for before in record.after:
            said, self_said = quoted(before), quoted(kind)
            if before not in pack.records:
                text = Text(f"no record kind {said}: never satisfied", f"没有档案种类 {said}：永远无法满足")
                yield LintFinding(path, text, nearest(before, tuple(pack.records)))
            elif _leads_to(pack, before, kind):
                text = Text(f"{self_said} and {said} wait for each other", f"{self_said} 与 {said} 互为前置")
                yield LintFinding(path, text, Text("remove one of the two", "请去掉其一"))


def _leads_to(pack: Pack, start: str, goal: str) -> bool:
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        kind = ahead.pop()
        if kind == goal:
            return True
        if kind not in seen and kind in pack.records:
            seen.add(kind)
            ahead += pack.records[kind].after
    return False


def duties(pack: Pack) -> Iterator[LintFinding]:
    """Whoever claims to serve a duty names the clause."""
    tables: dict[Path, RuleSource | None] = {(name,): getattr(pack, name) for name in TABLES}
    for family in FAMILIES:
        tables |= {(family, name): source for name, source in getattr(pack, family).items()}
    for path, source in tables.items():
        if source and source.duties and not source.clauses:
            text = Text("a duty is claimed without a clause", "列了职责却没有条款")
            yield LintFinding(
                (*path, "duties"), text, Text("add `clauses`, or drop `duties`", "补上 `clauses`，或去掉 `duties`")
            )
