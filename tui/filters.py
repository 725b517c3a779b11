"""Parser of typed filters: conditions (``person:E1 verdict:deny``) and part of a path after ``/``, a time after ``g``.

Rules of this file: pure. Both languages are accepted whichever is shown; a word in the form of a condition that is
unknown is an error, never silently text.
"""

from datetime import datetime

from agent.api.timestamps import instant
from agent.errors import UsageError
from rules.text import Message, Text

_NAMES = {
    "person": "person", "人员": "person", "area": "area", "目录": "area", "verdict": "verdict", "判定": "verdict",
    "kind": "kind", "种类": "kind", "rule": "rule", "规则": "rule", "since": "since", "起": "since",
    "until": "until", "止": "until", "own": "own", "自身": "own",
}  # fmt: skip
_VALUES = {  # the only values of these conditions
    "verdict": {"deny": "deny", "拒绝": "deny", "allow": "allow", "允许": "allow"},
    # The own attempts of the agent: included, only those, excluded (the default).
    "own": {"all": "all", "全部": "all", "yes": "yes", "是": "yes", "no": "no", "否": "no"},
}
_RIGHT = {
    "verdict": Message("tui.verdict-forms"),
    "own": Message("tui.own-forms"),
}


def parse(typed: str) -> dict[str, str]:
    """Return the arguments of ``log.read``; raise :class:`UsageError` for an invalid condition."""
    wanted: dict[str, str] = {}
    texts = []
    for part in typed.split():
        name, colon, operand = part.replace("：", ":").partition(":")
        if colon and name in _NAMES:
            key = _NAMES[name]
            values = _VALUES.get(key)
            wanted[key] = values.get(operand, operand) if values else operand
            if not operand or (values and operand not in values):
                raise UsageError(
                    Message("tui.condition-invalid", condition=part),
                    _RIGHT.get(key, Message("tui.condition-form", name=name)),
                )
        elif colon and name.isalpha() and "/" not in part:
            raise UsageError(
                Message("tui.condition-unknown", condition=name),
                Message("tui.one-of", choices=Text(", ".join(filter(str.isascii, _NAMES)), "、".join(_NAMES))),
            )
        else:
            texts.append(part)
    if texts:
        wanted["text"] = " ".join(texts)
    return wanted


def moment(typed: str, now: datetime) -> datetime:
    """Return the typed time, on the day of *now* if it names none; raise :class:`UsageError`."""
    try:
        if len(typed) <= 8 and ":" in typed:
            typed = f"{now.date().isoformat()}T{typed.zfill(5)}"
        return instant(typed, now.tzinfo)
    except ValueError:
        raise UsageError(
            Message("tui.time-or-number-invalid", typed=typed), Message("tui.time-or-number-forms")
        ) from None


def toggled(typed: str, condition: str) -> str:
    """Return *typed* with *condition* (``verdict:deny``) added, or removed when it is present."""
    parts = typed.split()
    if condition in parts:
        return " ".join(part for part in parts if part != condition)
    name = condition.partition(":")[0]
    return " ".join([*(part for part in parts if not part.startswith(f"{name}:")), condition])
