"""Context of a rule: one person, one resource and a clock.

Rules of this file: a context belongs to one call of ``decide`` and is never shared; a rule reads it and answers through
:meth:`RuleContext.ok` or :meth:`RuleContext.deny`, which add the clauses the pack names and the clock's ``until``.
"""

from dataclasses import dataclass, field
from datetime import datetime

from rules.clock import RuleClock
from rules.model import Facts, Person, Request, Resource, RuleResult
from rules.pack.model import Pack
from rules.text import Sentence


@dataclass(slots=True)
class RuleContext:
    """One person and one resource in one decision."""

    request: Request
    facts: Facts
    pack: Pack
    now: datetime
    resource: Resource
    person: Person
    clock: RuleClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = RuleClock(self.now)

    def ok(self, rule: str, because: Sentence, clauses: tuple[str, ...] | None = None) -> RuleResult:
        """Return that the rule is satisfied. *clauses* replace those the pack names for the rule."""
        return self._finding(rule, because, None, clauses, ok=True)

    def deny(
        self, rule: str, because: Sentence, change: Sentence, clauses: tuple[str, ...] | None = None
    ) -> RuleResult:
        """Return that the rule denies; *change* is the remedy. *clauses* as in :meth:`ok`."""
        return self._finding(rule, because, change, clauses, ok=False)

    def _finding(
        self, rule: str, because: Sentence, change: Sentence | None, clauses: tuple[str, ...] | None, *, ok: bool
    ) -> RuleResult:
        named = self.pack.clauses.get(rule, ()) if clauses is None else clauses
        return RuleResult(rule, ok, because, named, change, self.clock.until, self.person.id)
