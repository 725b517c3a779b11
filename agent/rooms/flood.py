"""The alarm about a door from which more comes than a door can say: it names the door and its readers. Pure."""

from agent.registry.rows.doors import DoorRow
from agent.rooms.panel.effects import AlarmKind, Raise
from rules.text import Text
from rules.visible import visible


def flooded(row: DoorRow) -> Raise:
    """Return the alarm that words of this door had to be dropped."""
    shown, readers = visible(row.name), ", ".join(visible(reader.address) for reader in row.readers)
    text = Text(
        f"more comes from `{shown}` than a door can say, and is dropped: {readers}",
        f"`{shown}` 发来的消息超出一扇门所能产生的数量，已丢弃：{readers}",
    )
    return Raise(AlarmKind.FLOOD, row.name, "", text)
