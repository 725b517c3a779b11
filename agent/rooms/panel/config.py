"""Configuration of one room's panel: its doors and its limits.

Rules of this file: data only, checked on creation; access rights are in the facts and the pack, not here. A strike is
never released for longer than one command to a reader can state (25.5 s: 8 bits of 100 ms).
"""

from dataclasses import dataclass
from typing import Literal

from rules.model import RoomSettings

LONGEST_STRIKE = 25.0  # seconds
_TOGETHER = 30.0  # seconds between two badges, where the room does not say
_SETTINGS = RoomSettings()


@dataclass(frozen=True, slots=True)
class DoorConfig:
    """One door. ``contact``: it has a door contact; ``held_seconds``: longest open time (0: no limit)."""

    door: str
    contact: bool = False
    strike_seconds: float = 5.0
    held_seconds: float = 30.0

    def __post_init__(self) -> None:
        if not 0 < self.strike_seconds <= LONGEST_STRIKE or self.held_seconds < 0:
            raise ValueError("a strike is released for 0 to 25 seconds, and a door held for no less than 0")


@dataclass(frozen=True, slots=True)
class RoomConfig:
    """One room.

    ``settings``: as officers set them. ``passback``: as in the room's rules, here for its alarms. ``pin_seconds`` for
    the whole PIN; after ``pin_tries`` wrong ones for a person here, or with one badge anywhere, none is taken for
    ``pin_lock_seconds``. A read counts for ``fresh_seconds``; the same card at the same reader, and at no other
    between, within ``debounce_seconds`` is one read; more than ``flood_reads`` in ``flood_seconds`` at one entry reader
    are dropped. A contact that changes more than ``flutter_changes`` times in ``flutter_seconds`` chatters (a leaf
    does not swing six times in ten seconds). A strike without answer after ``answer_seconds`` counts as silent.
    """

    room: str
    doors: tuple[DoorConfig, ...]
    settings: RoomSettings = _SETTINGS
    passback: Literal["none", "soft", "hard"] = "none"
    pin_seconds: float = 20.0
    pin_tries: int = 3
    pin_lock_seconds: float = 300.0
    fresh_seconds: float = 5.0
    debounce_seconds: float = 2.0
    flood_reads: int = 20
    flood_seconds: float = 10.0
    flutter_changes: int = 12
    flutter_seconds: float = 10.0
    answer_seconds: float = 5.0

    @property
    def together_seconds(self) -> float:
        """The longest time between the two badges of a two-person entry, or a visitor's and their escort's."""
        return float(self.settings.together_seconds or _TOGETHER)

    def door(self, name: str) -> DoorConfig | None:
        """Return the door of this name, ``None`` if the room has none."""
        return next((door for door in self.doors if door.door == name), None)
