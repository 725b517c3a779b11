"""Proxy of the doors for the offboarding process, over the channel to the control process.

Rules of this file: each request is answered at once with the present state; a caller that wants to wait polls. So an
unreachable board of one door blocks neither side.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from agent.control.offboarding.channel import ControlClient
from agent.offboard.context import DoorRevoker
from agent.rooms.refusal_check import KnownRefusal
from rules.text import from_json

_PATIENCE = 3.0  # seconds; a reachable board has answered by then
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
            states = [_state(state) for state in self._asking.doors(person)["states"]]
            if all(state.confirmed for state in states) or time.monotonic() > deadline:
                return states
            time.sleep(_PAUSE)


def door_states(doors: DoorRevoker, person: str) -> dict[str, Any]:
    """Return the ``names`` of all doors, and for *person* the rooms ``inside`` and the ``states`` of the doors."""
    if not person:
        return {"names": list(doors.names()), "inside": [], "states": []}
    return {
        "names": list(doors.names()),
        "inside": list(doors.inside(person)),
        "states": [
            {
                "name": refusal.name,
                "confirmed": refusal.confirmed,
                "at": refusal.at.isoformat() if refusal.at else None,
                "detail": refusal.detail.to_json(),
            }
            for refusal in doors.refuse(person)
        ],
    }


def _state(fields: Mapping[str, Any]) -> KnownRefusal:
    at = datetime.fromisoformat(fields["at"]) if fields["at"] else None
    return KnownRefusal(str(fields["name"]), bool(fields["confirmed"]), at, from_json(fields["detail"]))
