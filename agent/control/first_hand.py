"""First officer of a two-person act while no proposal can be stored, because the registry is to be replaced.

Rules of this file: kept in memory for an hour, and lost at a restart. It counts for the same act with the same
arguments; only the reasons may differ. Belongs to the thread of acts.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from agent.control import two_hands
from agent.control.dispatch import HandlerRequest, Hands, Json, SecondHandNeeded
from agent.errors import ForbiddenError, RefusedError
from rules.text import Message
from rules.two_hands import Hand, why_not_together

_KEPT = timedelta(hours=1)


class _First(NamedTuple):
    act: tuple[str, tuple[tuple[str, Json], ...]]
    hand: Hand
    at: datetime


class FirstHand:
    """Remembers the first officer of an act until a second one performs the same act."""

    def __init__(self) -> None:
        self._first: _First | None = None

    def met(self, request: HandlerRequest, waiting: SecondHandNeeded) -> HandlerRequest:
        """Return *request* with both officers. Raises :class:`RefusedError` for the first officer, who is stored."""
        act = (
            request.op,
            tuple(sorted((name, argument) for name, argument in request.raw_args.items() if name != "reason")),
        )
        first = self._first
        if first is None or first.act != act or request.at - first.at > _KEPT or first.hand.name == waiting.hand.name:
            self._first = _First(act, waiting.hand, request.at)
            raise RefusedError(
                Message("control.second-officer-needed-within-hour"),
                Message("control.tell-second-officer"),
            )
        objection = why_not_together(first.hand, waiting.hand, request.op, two_hands.rule_of(request))
        if objection is not None:
            raise ForbiddenError(objection)
        self._first = None
        hands = Hands("", first.hand, waiting.hand, first.at.isoformat(), waiting.would, "")
        return replace(request, hands=hands, rehearsed=False)
