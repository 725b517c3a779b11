"""Fail closed: a rule that raises counts as a denial that names it.

Rules of this file: of an error only the type is told. Its message is foreign text that may hold anything, may differ
from one run to the next, and may itself fail when asked for.
"""

from collections.abc import Callable
from datetime import datetime

from rules.model import RuleResult
from rules.text import Message


def fail_closed(name: str, now: datetime, rule: Callable[[], RuleResult | None], person: str = "") -> RuleResult | None:
    """Return the result of *rule*; if it raises, a denial by the rule ``error`` about *name*."""
    try:
        return rule()
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in a rule is a denial (contract C1)
        return failed(name, type(error).__name__, now, person)


def failed(name: str, kind: str, now: datetime, person: str = "") -> RuleResult:
    """Return the denial for the rule *name* that raised an error of type *kind*.

    Its ``until`` is *now*: nothing is known about the next instant, so the verdict must not be cached.
    """
    return RuleResult(
        rule="error",
        ok=False,
        because=Message("rules.rule-failed", rule=name, error=kind),
        change=Message("rules.correct-registry-facts"),
        until=now,
        person=person,
    )
