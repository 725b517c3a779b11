"""Door positions: open or closed, as last reported to the panels.

Rules of this file: an unknown position is ``None``. A panel keeps its state across a restart, so it counts only while
the door's readers are online; a door without a contact reports nothing.
"""

from datetime import UTC, datetime

from agent.api.timestamps import printed
from agent.control.dispatch import HandlerRequest, Json
from agent.doors.codec import InvalidMessageError
from agent.rooms.panel.state import RoomState, decode_state


def panels(request: HandlerRequest) -> dict[str, RoomState]:
    """Return the panel state of each room. A state that cannot be decoded is left out."""
    states = {}
    for room, text in request.site.facts.room_states().items():
        try:
            states[room] = decode_state(text)
        except InvalidMessageError:
            continue  # the doors thread meets it, too, records it, and starts from an empty state
    return states


def leaf(panel: RoomState | None, door: str, *, contact: bool, online: bool | None) -> dict[str, Json]:
    """Return ``open`` (``None``: unknown) and ``open_since`` (an instant, while it is open)."""
    position = panel.door(door) if panel and contact and online else None
    if position is None or position.open is None:
        return {"open": None, "open_since": None}
    return {
        "open": position.open,
        "open_since": printed(datetime.fromtimestamp(position.since, UTC)) if position.open else None,
    }
