"""Whether doors stand open, as their panels last heard it, for people who look.

Rules of this file: what cannot be known is ``None``. A panel remembers over a restart, so what it remembers counts only
while the door's readers are heard; a door without a contact never said anything.
"""

from datetime import UTC, datetime

from agent.api.timestamps import printed
from agent.control.dispatch import HandlerRequest, Json
from agent.doors.codec import InvalidMessageError
from agent.rooms.panel.state import RoomState, decode_state


def panels(request: HandlerRequest) -> dict[str, RoomState]:
    """Return what the panel of each room remembers. One that cannot be read is left out."""
    found = {}
    for room, text in request.site.facts.room_states().items():
        try:
            found[room] = decode_state(text)
        except InvalidMessageError:
            continue  # the thread that serves the doors meets it too, says so in the log, and begins anew
    return found


def leaf(panel: RoomState | None, door: str, *, contact: bool, online: bool | None) -> dict[str, Json]:
    """Return ``open`` (``None``: unknown) and ``open_since`` (an instant, while it is open)."""
    known = panel.door(door) if panel and contact and online else None
    if known is None or known.open is None:
        return {"open": None, "open_since": None}
    return {"open": known.open, "open_since": printed(datetime.fromtimestamp(known.since, UTC)) if known.open else None}
