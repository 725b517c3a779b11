"""Pending commands to doors: a ticket for each, and its outcome.

Rules of this file: a command to a door is sent at once and answered later, because the sending thread also does every
other act, and a hold must not wait for a lock. A ticket is settled once; an unsettled one stays open, and its outcome
is reported as unknown. The newest tickets are kept, so that late queries are possible and memory is bounded.
"""

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from agent.errors import RefusedError
from rules.text import Message, Sentence
from rules.visible import visible

_KEPT = 500


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """The outcome of a command. ``ok`` is ``None`` while unknown; ``key``: fingerprint of the key in use now.

    ``confirmed``: of a release, whether the lock read as open, beyond the device's own report.
    """

    ok: bool | None
    reason: Sentence | None = None
    key: str = ""
    confirmed: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        reason = self.reason.to_json() if self.reason else None
        return {"ok": self.ok, "why": reason, "key": self.key, "confirmed": bool(self.ok and self.confirmed)}


class PendingCommands:
    """All tickets of this process. Any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._run = secrets.token_hex(3)  # distinguishes ids of this process from those of an earlier one
        self._outcomes: OrderedDict[str, CommandOutcome] = OrderedDict()
        self._number = 0

    def open(self, prefix: str) -> str:
        """Return a new ticket, which is also the id of the command."""
        with self._changed:
            self._number += 1
            ticket = f"{prefix}-{self._run}-{self._number}"
            self._outcomes[ticket] = CommandOutcome(ok=None)
            while len(self._outcomes) > _KEPT:
                self._outcomes.popitem(last=False)
            return ticket

    def settle(self, ticket: str, outcome: CommandOutcome) -> bool:
        """Set the outcome of a ticket; return whether it is a known, open one."""
        with self._changed:
            opened = self._outcomes.get(ticket)
            if opened is None or opened.ok is not None:
                return False
            self._outcomes[ticket] = outcome
            self._changed.notify_all()
            return True

    def outcome(self, ticket: str, seconds: float) -> CommandOutcome:
        """Return the outcome of a ticket, after waiting at most *seconds*.

        Raises :class:`RefusedError` for an unknown ticket.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            while (latest := self._outcomes.get(ticket)) is not None:
                remaining = deadline - time.monotonic()
                if latest.ok is not None or remaining <= 0:
                    return latest
                self._changed.wait(remaining)
        name = visible(ticket[:100])
        raise RefusedError(Message("rooms.command-not-found", ticket=name))
