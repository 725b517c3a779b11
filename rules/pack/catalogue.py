"""Catalogue of rules: every rule that can decide, by the id a verdict carries, in the order of decision.

Rules of this file: an id is part of the product (logs keep it for years) and never changes its meaning. Record kinds
belong to the packs and decide between ``grant`` and ``hours`` under their own names.
"""

from collections.abc import Mapping

from rules.pack.model import Pack, RuleInfo, RuleSource
from rules.text import Message, Sentence

TITLES: Mapping[str, Sentence] = {
    "error": Message("pack.title-error"),
    "unknown-resource": Message("pack.title-unknown-resource"),
    "exit": Message("common.leaving-room-always-allowed"),
    "action": Message("pack.title-action"),
    "doubt": Message("pack.title-doubt"),
    "nobody": Message("pack.title-nobody"),
    "marking": Message("pack.title-marking"),
    "lockdown": Message("pack.title-lockdown"),
    "service": Message("pack.title-service"),
    "unknown-person": Message("pack.title-unknown-person"),
    "inactive": Message("pack.title-inactive"),
    "hold": Message("pack.title-hold"),
    "cooling-off": Message("pack.title-cooling-off"),
    "departure": Message("pack.title-departure"),
    "employment": Message("pack.title-employment"),
    "visit": Message("pack.title-visit"),
    "barred": Message("pack.title-barred"),
    "domain": Message("pack.title-domain"),
    "level": Message("pack.title-level"),
    "temp-auth": Message("pack.title-temp-auth"),
    "scope": Message("pack.title-scope"),
    "grant": Message("pack.title-grant"),
    "hours": Message("pack.title-hours"),
    "in-room": Message("pack.title-in-room"),
    "badge": Message("pack.title-badge"),
    "one-place": Message("pack.title-one-place"),
    "purpose": Message("common.purpose-stated"),
    "declaration": Message("common.devices-declared"),
    "pin": Message("common.pin-correct"),
    "first-in": Message("pack.title-first-in"),
    "limit": Message("pack.title-limit"),
    "escort": Message("pack.title-escort"),
    "two-person": Message("pack.title-two-person"),
    "allow": Message("pack.title-allow"),
}


# The others are in force under every pack: a person or a room can require them.
_ONLY_WITH_TABLE = ("barred", "employment", "in-room")
_NAMED_OTHERWISE = {"domain": "level", "escort": "visit"}


def rules_of(pack: Pack) -> tuple[RuleInfo, ...]:
    """Return the rules in force under *pack*, in the order they decide, each with its clauses and duties."""
    in_force: list[RuleInfo] = []
    for rule, title in TITLES.items():
        if rule == "hours":
            in_force += [_rule_info(name, kind.title, kind) for name, kind in pack.records.items()]
        if rule == "temp-auth" and not pack.temp_auth.enabled:
            continue
        source = getattr(pack, _NAMED_OTHERWISE.get(rule, rule).replace("-", "_"), None)
        if isinstance(source, RuleSource):
            in_force.append(_rule_info(rule, title, source))
        elif rule not in _ONLY_WITH_TABLE:
            in_force.append(RuleInfo(id=rule, title=title))
    return tuple(in_force)


def clauses_of(rules: tuple[RuleInfo, ...]) -> Mapping[str, tuple[str, ...]]:
    """Return the clauses of each rule by id; an ``allow`` rests on those of level, scope and grant."""
    by_rule = {rule.id: rule.clauses for rule in rules}
    by_rule["allow"] = tuple(dict.fromkeys(by_rule["level"] + by_rule["scope"] + by_rule["grant"]))
    return by_rule


def _rule_info(rule: str, title: Sentence, source: RuleSource) -> RuleInfo:
    return RuleInfo(id=rule, title=title, clauses=source.clauses, duties=source.duties)
