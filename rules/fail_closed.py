"""What happens when a rule fails: it counts as a denial that names it. It never goes missing.

Rules of this file: of an error only the type is told. Its message is foreign text that may hold anything, may differ
from one run to the next, and may itself fail when asked for.
"""

from collections.abc import Callable
from datetime import datetime

from rules.model import RuleResult
from rules.text import Text
from rules.visible import visible


def asked(name: str, now: datetime, rule: Callable[[], RuleResult | None], person: str = "") -> RuleResult | None:
    """Return what *rule* finds; if it raises, a denial by the rule ``error`` about *name*."""
    try:
        return rule()
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in a rule is a denial (contract C1)
        return failed(name, type(error).__name__, now, person)


def failed(name: str, kind: str, now: datetime, person: str = "") -> RuleResult:
    """Return the denial for the rule *name* that raised an error of type *kind*.

    Its ``until`` is *now*: nothing is known about the next instant, so the verdict must not be kept.
    """
    shown = visible(name)
    return RuleResult(
        rule="error",
        ok=False,
        because=Text(f"rule `{shown}` failed with `{kind}`", f"规则 `{shown}` 出错：`{kind}`"),
        change=Text("the facts about this person and this resource are corrected", "更正此人与此资源的登记信息"),
        until=now,
        person=person,
    )
