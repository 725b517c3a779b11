"""The period of a visit or a declaration.

Rules of this file: it always has an end, at most 31 days after its start.
"""

from datetime import datetime, timedelta

from agent.errors import RefusedError
from agent.registry.columns import instant
from rules.text import Message, Sentence

_LONGEST = timedelta(days=31)


def check_window(earliest: datetime, since: datetime, until: datetime, term: Sentence) -> None:
    """Raise :class:`agent.errors.RefusedError` when the period ends before *earliest*, or is too long."""
    if until <= earliest:
        raise RefusedError(
            Message("registry.window-end-before-start", term=term),
            Message("registry.choose-later-end", earliest=instant(earliest)),
        )
    if until - since > _LONGEST:
        raise RefusedError(
            Message("registry.window-too-long", term=term, limit=_LONGEST.days),
            Message("registry.choose-earlier-end"),
        )
