"""What is typed: behind ``/`` conditions (``person:E1 verdict:deny``) and part of a path, behind ``g`` a time.

Rules of this file: pure. Both languages are understood whichever is spoken; a word that looks like a condition and is
none is an error, never silently text.
"""

from datetime import datetime

from agent.api.timestamps import instant
from agent.errors import UsageError
from rules.text import Text
from rules.visible import visible

_NAMES = {
    "person": "person", "人员": "person", "area": "area", "目录": "area", "verdict": "verdict", "判定": "verdict",
    "kind": "kind", "种类": "kind", "rule": "rule", "规则": "rule", "since": "since", "起": "since",
    "until": "until", "止": "until", "own": "own", "自身": "own",
}  # fmt: skip
_VALUES = {  # of conditions that have only these
    "verdict": {"deny": "deny", "拒绝": "deny", "allow": "allow", "允许": "allow"},
    # The agent's own attempts: those too, only those, none of them (which is what nothing says).
    "own": {"all": "all", "全部": "all", "yes": "yes", "是": "yes", "no": "no", "否": "no"},
}
_RIGHT = {
    "verdict": Text("verdict:deny or verdict:allow", "判定:拒绝 或 判定:允许"),
    "own": Text("own:all, own:yes or own:no", "自身:全部、自身:是 或 自身:否"),
}


def parse(typed: str) -> dict[str, str]:
    """Return the arguments of ``log.read``; raise :class:`UsageError` for a condition that is not understood."""
    wanted: dict[str, str] = {}
    words = []
    for word in typed.split():
        name, colon, value = word.replace("：", ":").partition(":")
        if colon and name in _NAMES:
            key = _NAMES[name]
            values = _VALUES.get(key)
            wanted[key] = values.get(value, value) if values else value
            if not value or (values and value not in values):
                said = visible(word)
                raise UsageError(
                    Text(f"`{said}` is not understood", f"无法理解 `{said}`"),
                    _RIGHT.get(key, Text(f"write {name}:VALUE", f"请写 {name}:值")),
                )
        elif colon and name.isalpha() and "/" not in word:
            said, right = visible(name), ", ".join(key for key in _NAMES if key.isascii())
            raise UsageError(
                Text(f"there is no condition `{said}`", f"没有条件 `{said}`"), Text(right, "、".join(_NAMES))
            )
        else:
            words.append(word)
    if words:
        wanted["text"] = " ".join(words)
    return wanted


def moment(typed: str, now: datetime) -> datetime:
    """Read a time as people write it, on the day of *now* if there is no day; raise :class:`UsageError`."""
    try:
        if len(typed) <= 8 and ":" in typed:
            typed = f"{now.date().isoformat()}T{typed.zfill(5)}"
        return instant(typed, now.tzinfo)
    except ValueError:
        said = visible(typed)
        raise UsageError(
            Text(f"`{said}` is no time and no number", f"`{said}` 不是时间或序号"),
            Text("2026-03-01, 2026-03-01T14:30, 14:30, 1204331", "2026-03-01、2026-03-01T14:30、14:30、1204331"),
        ) from None


def toggled(typed: str, condition: str) -> str:
    """Return *typed* with *condition* (``verdict:deny``) put in, or taken out when it is there."""
    words = typed.split()
    if condition in words:
        return " ".join(word for word in words if word != condition)
    name = condition.partition(":")[0]
    return " ".join([*(word for word in words if not word.startswith(f"{name}:")), condition])
