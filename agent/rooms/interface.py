"""What handlers ask of whoever serves the doors, and what they are told while nobody does.

Rules of this file: a command to a door is given at once and answered later, because the thread that gives it also does
every other act, and a hold must not wait for a lock. Whoever wants to know what came of it asks with the ticket.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agent.errors import RefusedError
from rules.text import Text

_HINT = Text(
    "register one with `shoumi door add`, and see `shoumi doctor`",
    "请用 `shoumi door add` 登记，并查看 `shoumi doctor`",
)


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """What came of a command. ``ok`` is ``None`` while nobody knows; ``key``: fingerprint of the key that holds now.

    ``confirmed``: of a release, whether the lock was seen to open, and not only said to.
    """

    ok: bool | None
    why: Text | None = None
    key: str = ""
    confirmed: bool = True

    def wire(self) -> dict[str, Any]:
        """Return it as JSON."""
        why = self.why._asdict() if self.why else None
        return {"ok": self.ok, "why": why, "key": self.key, "confirmed": bool(self.ok and self.confirmed)}


class DoorService(Protocol):
    """The doors, as handlers see them. Any thread; every method but ``changed`` may raise :class:`ShoumiError`."""

    def changed(self) -> None:
        """Take over what an act has just changed. Never waits, never raises."""

    def state(self) -> Mapping[str, Any]:
        """Return ``process`` (running, down, none), ``readers`` and ``boards`` (serial numbers).

        A reader is ``door side address online secure why hint key``; ``why`` and ``hint`` of one that is not there.
        """

    def release(self, door: str, entry: int) -> str:
        """Release a door once, on the authority of the entry with this number, and return a ticket."""

    def commission(self, address: str) -> str:
        """Give a reader in installation mode a new key, and return a ticket. The key stays on that side."""

    def rekey(self, address: str) -> str:
        """Give a reader another key over its secure channel, and return a ticket."""

    def outcome(self, ticket: str, seconds: float) -> CommandOutcome:
        """Wait at most so long for what came of a command; refused for a ticket nobody gave."""


class NotServed:
    """No doors: every question says so."""

    def changed(self) -> None:
        """Nobody needs to know."""

    def state(self) -> Mapping[str, Any]:
        """See :class:`DoorService`."""
        raise _not_served()

    def release(self, door: str, entry: int) -> str:
        """See :class:`DoorService`."""
        raise _not_served()

    def commission(self, address: str) -> str:
        """See :class:`DoorService`."""
        raise _not_served()

    def rekey(self, address: str) -> str:
        """See :class:`DoorService`."""
        raise _not_served()

    def outcome(self, ticket: str, seconds: float) -> CommandOutcome:
        """See :class:`DoorService`."""
        raise _not_served()


def _not_served() -> RefusedError:
    return RefusedError(Text("the doors are not served", "门禁服务未运行"), _HINT)
