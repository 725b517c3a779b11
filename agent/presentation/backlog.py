"""What is under way after access was cut, in one sentence: how many still wait for proof and receipt, and how long.

Rules of this file: pure. The numbers are the agent's (``revocations`` of ``status``); where nothing is under way
nothing is said, and where the agent could not tell that is. The estimate is what the newest runs took.
"""

from collections.abc import Mapping
from typing import Any

from rules.text import Text


def sentence(found: Mapping[str, Any] | None) -> Text | None:
    """Return what to say of *found*: ``{"waiting": 3, "since": ISO 8601, "seconds": 12}``; ``None``: it is unknown."""
    if found is None:
        return Text("how much is still to be proven is not known", "尚待核证的撤权数量未知")
    count, seconds = int(found["waiting"]), int(found["seconds"])
    if not count:
        return None
    some = "1 revocation is" if count == 1 else f"{count} revocations are"
    return Text(
        f"{some} being proven, about {_span(seconds, 's', 'min')} left",
        f"{count} 项撤权正在核证，约需 {_span(seconds, '秒', '分钟')}",
    )


def _span(seconds: int, second: str, minute: str) -> str:
    return f"{seconds} {second}" if seconds < 120 else f"{round(seconds / 60)} {minute}"
