"""What one rule is asked: one person, one resource, and a clock.

Rules of this file: a case belongs to one call of ``decide`` and is never shared; a rule reads it and answers through
:meth:`RuleContext.ok` or :meth:`RuleContext.deny`, which add the clauses the pack names and the clock's ``until``.
Identifiers are made visible here once, so that no rule can forget to.
"""

from dataclasses import dataclass, field
from datetime import datetime

from rules.clock import RuleClock
from rules.model import Facts, Person, Request, Resource, RuleResult
from rules.pack.model import Pack
from rules.text import Text
from rules.visible import visible


@dataclass(slots=True)
class RuleContext:
    """One person before one resource. ``who`` and ``what`` are their identifiers, visible and in backticks."""

    request: Request
    facts: Facts
    pack: Pack
    now: datetime
    resource: Resource
    person: Person
    clock: RuleClock = field(init=False)
    who: str = field(init=False)
    what: str = field(init=False)

    def __post_init__(self) -> None:
        self.clock = RuleClock(self.now)
        self.who = f"`{visible(self.person.id)}`"
        self.what = f"`{visible(self.resource.id)}`"

    def ok(self, rule: str, because: Text, clauses: tuple[str, ...] | None = None) -> RuleResult:
        """The rule has nothing against it. *clauses* replace those the pack names for the rule."""
        return self._finding(rule, because, None, clauses, ok=True)

    def deny(self, rule: str, because: Text, change: Text, clauses: tuple[str, ...] | None = None) -> RuleResult:
        """The rule forbids it; *change* says what would alter that. *clauses* as in :meth:`ok`."""
        return self._finding(rule, because, change, clauses, ok=False)

    def _finding(
        self, rule: str, because: Text, change: Text | None, clauses: tuple[str, ...] | None, *, ok: bool
    ) -> RuleResult:
        named = self.pack.clauses.get(rule, ()) if clauses is None else clauses
        return RuleResult(rule, ok, because, named, change, self.clock.until, self.person.id)
