"""From when until when a visit or a declaration holds.

Rules of this file: it always ends by itself, and soon.
"""

from datetime import datetime, timedelta

from agent.errors import RefusedError
from agent.registry.columns import instant
from rules.text import Text

_LONGEST = timedelta(days=31)


def check_window(earliest: datetime, since: datetime, until: datetime, what: Text) -> None:
    """Raise :class:`agent.errors.RefusedError` when it ends before *earliest*, or lasts too long."""
    if until <= earliest:
        raise RefusedError(
            Text(f"the {what.en} would end before it begins", f"{what.zh}在开始之前即结束"),
            Text(f"give an end after {instant(earliest)}", f"请给出晚于 {instant(earliest)} 的结束时间"),
        )
    if until - since > _LONGEST:
        raise RefusedError(
            Text(f"a {what.en} lasts {_LONGEST.days} days at most", f"{what.zh}最长 {_LONGEST.days} 天"),
            Text("give an earlier end", "请提前结束时间"),
        )
