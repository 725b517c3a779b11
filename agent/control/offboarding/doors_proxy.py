"""The doors as the process of departures sees them: asked of the control process, which serves them.

Rules of this file: one question, answered at once with what is known by then; whoever wants to wait asks again. So the
dead board of one door keeps neither side from anything else.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from agent.control.offboarding.channel import ControlClient
from agent.offboard.context import DoorRevoker
from agent.rooms.refusal_check import KnownRefusal
from rules.text import Text

_PATIENCE = 3.0  # seconds; a board that answers at all has answered by then
_PAUSE = 0.25


class DoorsProxy:
    """:class:`agent.offboard.context.DoorRevoker`, over the channel. Any thread."""

    def __init__(self, asking: ControlClient) -> None:
        self._asking = asking

    def names(self) -> Iterable[str]:
        """See :class:`agent.offboard.context.DoorRevoker`."""
        return [str(name) for name in self._asking.doors("")["names"]]

    def inside(self, person: str) -> Iterable[str]:
        """See :class:`agent.offboard.context.DoorRevoker`."""
        return [str(room) for room in self._asking.doors(person)["inside"]]

    def refuse(self, person: str) -> Iterable[KnownRefusal]:
        """See :class:`agent.offboard.context.DoorRevoker`."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            states = [_state(one) for one in self._asking.doors(person)["states"]]
            if all(one.confirmed for one in states) or time.monotonic() > deadline:
                return states
            time.sleep(_PAUSE)


def told(doors: DoorRevoker, person: str) -> dict[str, Any]:
    """Answer: ``names`` of all doors, and of *person* the rooms ``inside`` and the ``states`` of the doors now."""
    if not person:
        return {"names": list(doors.names()), "inside": [], "states": []}
    return {
        "names": list(doors.names()),
        "inside": list(doors.inside(person)),
        "states": [
            {
                "name": one.name,
                "confirmed": one.confirmed,
                "at": one.at.isoformat() if one.at else None,
                "detail": one.detail.to_json(),
            }
            for one in doors.refuse(person)
        ],
    }


def _state(one: Mapping[str, Any]) -> KnownRefusal:
    at = datetime.fromisoformat(one["at"]) if one["at"] else None
    return KnownRefusal(str(one["name"]), bool(one["confirmed"]), at, Text.from_json(one["detail"]))
