"""Revocations in progress, in one sentence: how many still wait for proof and receipt, and for how long.

Rules of this file: pure. The numbers are the agent's (``revocations`` of ``status``). Where nothing is in progress
there is no sentence; where the agent does not know, there is one. The estimate is the duration of the newest runs.
"""

from collections.abc import Mapping
from typing import Any

from rules.text import Message, Sentence


def sentence(revocations: Mapping[str, Any] | None) -> Sentence | None:
    """Return the sentence on *revocations*: ``{"waiting": 3, "since": ISO 8601, "seconds": 12}``; ``None``: unknown."""
    if revocations is None:
        return Message("presentation.revocations-unknown")
    count, seconds = int(revocations["waiting"]), int(revocations["seconds"])
    if not count:
        return None
    return Message("presentation.revocations-in-progress", count=count, remaining=_span(seconds))


def _span(seconds: int) -> Sentence:
    if seconds < 120:
        return Message("presentation.span-seconds", seconds=seconds)
    return Message("presentation.span-minutes", minutes=round(seconds / 60))
