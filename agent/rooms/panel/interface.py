"""What a panel may ask of the control process while it takes one step.

Rules of this file: every answer is the same for the whole step, and none of them raises: where the registry cannot be
read the answer is nobody, nothing or a denial. A way out needs none of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from agent.doors.messages import Read
from rules.model import Request, Verdict


@dataclass(frozen=True, slots=True)
class BadgeHolder:
    """Whose badge a card is. ``facility`` and ``bits``, where the badge was enrolled with them, must be the read's."""

    person: str
    badge: str
    facility: int | None = None
    bits: int | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody stated beforehand for this room, and who leads him in if he is on a visit (``""``: nobody)."""

    purpose: str = ""
    declared: bool = False
    escort: str = ""


class PanelQueries(Protocol):
    """The registry and the rules, as one room's panel sees them."""

    def holder(self, read: Read) -> BadgeHolder | None:
        """Return whose valid badge this is; ``None`` for a card that is unknown, lost, returned or over."""

    def judge(self, request: Request, shown: Mapping[str, str]) -> Verdict:
        """Decide *request*; ``shown`` is the badge that each person in it, or beside it, has presented."""

    def stated(self, person: str) -> Statement:
        """Return what the person stated for this room and for now."""

    def check_pin(self, person: str, digits: str) -> Literal["ok", "duress", "wrong", "none"]:
        """Compare a PIN; ``none``: the person has not got one."""

    def wrong_pins(self, badge: str) -> int:
        """Return how many wrong PINs in a row came with *badge*, as counted by other rooms and not forgotten."""

    def rooms_of(self, person: str) -> frozenset[str]:
        """Return the rooms the person is in, as far as the doors know."""
