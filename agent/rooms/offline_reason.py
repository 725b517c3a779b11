"""Reasons for an offline reader or board, each with a hint, as shown with a door.

Rules of this file: pure. A reason from the doors process comes first; a reader it was not configured with, or has not
reported yet, is explained from data of the control process. The hint is a command or a thing to check, never a guess at
the broken part.
"""

from typing import NamedTuple

from agent.doors.messages import Online
from agent.registry.rows.doors import DoorRow, ReaderRow
from rules.text import Message, Sentence
from rules.visible import visible


class OfflineReason(NamedTuple):
    """The reason, and the hint."""

    reason: Sentence
    hint: Sentence


_NO_KEY = Message("rooms.reader-not-commissioned")
_DOWN = Message("rooms.doors-process-not-running")
_UNHEARD = Message("rooms.nothing-received")
_SEE_AGENT = Message("rooms.check-doors-process")


def away(
    row: DoorRow, reader: ReaderRow, last_online: Online | None, *, keyed: bool, running: bool
) -> OfflineReason | None:
    """Return the reason for one reader of the door *row*; ``None`` when it is online. *keyed*: it ever got a key."""
    if last_online is not None and last_online.online:
        return None
    if row.protocol == "osdp" and not keyed:
        door = visible(row.name)
        command = f"shoumi door commission {door}" + (" --side out" if reader.side == "out" else "")
        return OfflineReason(_NO_KEY, Message("rooms.commission-on-bench", command=command))
    if not running:
        return OfflineReason(_DOWN, _SEE_AGENT)
    address = visible(reader.address)
    hint = Message("rooms.check-device", address=address)
    return OfflineReason(last_online.why if last_online is not None and last_online.why else _UNHEARD, hint)
