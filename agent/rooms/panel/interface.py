"""Queries of a panel to the control process during one step.

Rules of this file: every answer is the same for the whole step, and no query raises: where the registry cannot be read
the answer is ``None``, empty or a denial. An exit needs none of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from agent.doors.messages import Read
from rules.model import Request, Verdict


@dataclass(frozen=True, slots=True)
class BadgeHolder:
    """The holder of a badge. ``facility`` and ``bits``, where the badge was enrolled with them, must match the read."""

    person: str
    badge: str
    facility: int | None = None
    bits: int | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """The statement of a person for this room, and on a visit the escort (``""``: none)."""

    purpose: str = ""
    declared: bool = False
    escort: str = ""


class PanelQueries(Protocol):
    """The registry and the rules, as one room's panel sees them."""

    def holder(self, read: Read) -> BadgeHolder | None:
        """Return the holder of a valid badge; ``None`` for a card that is unknown, lost, returned or expired."""

    def judge(self, request: Request, badges: Mapping[str, str]) -> Verdict:
        """Return the verdict on *request*; *badges*: the badge each person in it, or with them, has shown."""

    def stated(self, person: str) -> Statement:
        """Return what the person stated for this room and for now."""

    def check_pin(self, person: str, digits: str) -> Literal["ok", "duress", "wrong", "none"]:
        """Check a PIN; ``none``: the person has no PIN."""

    def wrong_pins(self, badge: str) -> int:
        """Return the number of consecutive wrong PINs with *badge*, as counted by other rooms and not expired."""

    def rooms_of(self, person: str) -> frozenset[str]:
        """Return the rooms the person is in, as far as the doors know."""
