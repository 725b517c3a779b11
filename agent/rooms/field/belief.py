"""Plausibility of frames of the doors process: only its own doors, with their readers and boards, are accepted.

A compromised doors process can claim that a card was shown at one of its doors, that one of them is open, that a reader
is online, that a strike was released: control has no other source. It can claim nothing about any other door, reader or
board, and no frame creates a person, grants a right, or appears in the log as an act of another: a read is decided like
every read. It holds the wires, so it can also open its own doors without a command; their contacts are then the only
evidence (docs/threat-model.md).

Rules of this file: pure. A rejected frame changes nothing and is reported; it does not end the process, because a door
may have been removed just now.
"""

from collections.abc import Mapping

from agent.doors.frames import CardStates, FromDoors, Heard, Swept
from agent.doors.messages import KeyPress, Online, Read, Tamper
from agent.registry.rows.doors import DoorRow
from agent.rooms.configuration import board, boards
from rules.text import Message, Sentence
from rules.visible import visible


def doubt(frame: FromDoors, doors: Mapping[str, DoorRow]) -> Sentence | None:
    """Return why *frame* is rejected from a process that has *doors*; ``None`` when it is accepted or about no door."""
    if isinstance(frame, Heard | CardStates | Swept):
        serial = str(frame.board)
        if serial not in boards(doors.values()):
            return Message("rooms.report-about-unknown-board", serial=serial)
        return None
    row = doors.get(getattr(frame, "door", ""))
    if row is None:
        return None  # frames about unknown doors have no effect
    door = visible(row.name)
    if isinstance(frame, Read | KeyPress | Online | Tamper) and not _has_side(row, frame.side):
        return Message("rooms.report-about-side-without-reader", door=door)
    if isinstance(frame, Online) and frame.address not in {reader.address for reader in row.readers} | {row.strike}:
        return Message("rooms.report-about-unknown-reader", door=door)
    return None


def _has_side(row: DoorRow, side: str) -> bool:
    """Return whether a door has a reader on that side; a board always has both."""
    return bool(board(row)) or side in {reader.side for reader in row.readers}
