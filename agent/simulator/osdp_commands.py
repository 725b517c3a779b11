"""Commands a simulated reader received from a panel, for the simulator's display and for tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from agent.doors.osdp import library
from agent.doors.osdp.library import Fields

_COLOURS: Final = {0: "off", 1: "red", 2: "green", 3: "amber", 4: "blue"}


@dataclass(frozen=True, slots=True)
class ReceivedCommand:
    """A received command. ``kind``: strike, light, sound, text, key, status or other; ``at``: a steady clock."""

    kind: str
    fields: Fields = field(repr=False)
    at: float

    @property
    def colour(self) -> str:
        """The colour of a light."""
        return _COLOURS.get(self.fields.get("on_color", 0), "other") if self.fields.get("control_code") == 2 else "off"


COMMAND_KINDS: Final[Mapping[int, str]] = {
    library.OUTPUT_COMMAND: "strike",
    library.LED_COMMAND: "light",
    library.BUZZER_COMMAND: "sound",
    library.TEXT_COMMAND: "text",
    library.KEYSET_COMMAND: "key",
    library.STATUS_COMMAND: "status",
}
