"""Flood alarm: the message rate of a door exceeds its limit. It names the door and its readers. Pure."""

from agent.registry.rows.doors import DoorRow
from agent.rooms.panel.effects import AlarmKind, Raise
from rules.text import Message
from rules.visible import visible


def flooded(row: DoorRow) -> Raise:
    """Return the alarm for dropped frames of this door."""
    door, readers = visible(row.name), ", ".join(visible(reader.address) for reader in row.readers)
    text = Message("rooms.door-message-flood", door=door, readers=readers)
    return Raise(AlarmKind.FLOOD, row.name, "", text)
