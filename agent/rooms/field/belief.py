"""What is believed of what the doors process says: words about the doors it was given, their readers and boards.

A doors process that was taken over can say that a card was shown at one of its doors, that one of them is open, that a
reader is there, that a strike obeyed: nobody else knows better. It can say nothing about any other door, reader or
board, and nothing it says makes anybody a person, gives a right, or stands in the log as somebody else's act: a read is
decided like every read. It holds the wires, so it can also open its own doors without being asked; their contacts are
then the only witness (docs/threat-model.md).

Rules of this file: pure. What is not believed changes nothing and is told; it ends nobody, because a door may have been
removed a moment ago.
"""

from collections.abc import Mapping

from agent.doors.frames import CardStates, FromDoors, Heard, Swept
from agent.doors.messages import KeyPress, Online, Read, Tamper
from agent.registry.rows.doors import DoorRow
from agent.rooms.configuration import board, boards
from rules.text import Text
from rules.visible import visible


def doubt(frame: FromDoors, doors: Mapping[str, DoorRow]) -> Text | None:
    """Return why *frame* is not believed of a process that has *doors*; ``None`` when it is, or is about no door."""
    if isinstance(frame, Heard | CardStates | Swept):
        serial = str(frame.board)
        if serial not in boards(doors.values()):
            return Text(f"it speaks of board {serial}, which it has not", f"其提及并不属于它的控制器 {serial}")
        return None
    row = doors.get(getattr(frame, "door", ""))
    if row is None:
        return None  # nobody hears of a door that there is not
    shown = visible(row.name)
    if isinstance(frame, Read | KeyPress | Online | Tamper) and not _has_side(row, frame.side):
        return Text(f"it speaks of a side of `{shown}` without a reader", f"其提及 `{shown}` 没有读卡器的一侧")
    if isinstance(frame, Online) and frame.address not in {reader.address for reader in row.readers} | {row.strike}:
        return Text(f"it speaks of a reader that `{shown}` has not", f"其提及 `{shown}` 没有的读卡器")
    return None


def _has_side(row: DoorRow, side: str) -> bool:
    """Whether a door has a reader on that side; a board has both, whatever was written down."""
    return bool(board(row)) or side in {reader.side for reader in row.readers}
