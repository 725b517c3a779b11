"""The first of two hands where no proposal can be kept: nothing may be written to a registry that is to be replaced.

Rules of this file: it is remembered in memory for an hour, and a restart forgets it. It counts for the very same act
with the same arguments, but for the reason each gives. Belongs to the thread of acts.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from agent.control import two_hands
from agent.control.dispatch import HandlerRequest, Hands, Json, SecondHandNeeded
from agent.errors import ForbiddenError, RefusedError
from rules.text import Text
from rules.two_hands import Hand, why_not_together

_KEPT = timedelta(hours=1)


class _First(NamedTuple):
    act: tuple[str, tuple[tuple[str, Json], ...]]
    hand: Hand
    at: datetime


class FirstHand:
    """Remembers who did an act first, until a second one does the same."""

    def __init__(self) -> None:
        self._first: _First | None = None

    def met(self, request: HandlerRequest, waiting: SecondHandNeeded) -> HandlerRequest:
        """Return *request* with both hands. Raises :class:`RefusedError` for the first one, who is remembered."""
        act = request.op, tuple(sorted((name, value) for name, value in request.given.items() if name != "reason"))
        first = self._first
        if first is None or first.act != act or request.at - first.at > _KEPT or first.hand.name == waiting.hand.name:
            self._first = _First(act, waiting.hand, request.at)
            raise RefusedError(
                Text(
                    "a second officer does the same within an hour, then it is done",
                    "须由第二人在一小时内同样办理后生效",
                ),
                Text("nothing was changed; tell them what you have seen", "尚未更改；请告知对方所见内容"),
            )
        why = why_not_together(first.hand, waiting.hand, request.op, two_hands.rule_of(request))
        if why is not None:
            raise ForbiddenError(why)
        self._first = None
        hands = Hands("", first.hand, waiting.hand, first.at.isoformat(), waiting.would, "")
        return replace(request, hands=hands, rehearsed=False)
