"""Duration of an act, in words: the time it waited, and the time until it was acknowledged.

Rules of this file: pure. The agent counts from the arrival of the request, the caller from before sending it. Where the
two differ much, both are reported: the agent does not see how long a request waited in front of its socket.
"""

from collections.abc import Mapping
from typing import Any

from rules.text import Message, Sentence

_UNSEEN = 50.0  # milliseconds: a shorter difference is not reported


def sentence(answer: Mapping[str, Any]) -> Sentence:
    """Return when the act that ended in *answer* was acknowledged, and how long it waited for its turn."""
    waited, milliseconds = answer["waited_milliseconds"], answer["milliseconds"]
    acknowledged = Message("presentation.acknowledged-after", waited=waited, acknowledged=milliseconds)
    total = answer.get("caller_milliseconds", milliseconds)
    if total - milliseconds < _UNSEEN:
        return acknowledged
    return Message("presentation.answered-after", acknowledged=acknowledged, total=total)
