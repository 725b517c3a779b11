"""Commands to doors that are answered later: a ticket for each, and what came of it.

Rules of this file: a command to a door is given at once and answered later, because the thread that gives it also does
every other act, and a hold must not wait for a lock. A ticket is settled once; one that nobody settles stays open, and
whoever asks is told that nobody knows yet. The newest are kept, so that asking late is possible and nothing grows.
"""

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from agent.errors import RefusedError
from rules.text import Text
from rules.visible import visible

_KEPT = 500


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """What came of a command. ``ok`` is ``None`` while nobody knows; ``key``: fingerprint of the key that holds now.

    ``confirmed``: of a release, whether the lock was seen to open, and not only said to.
    """

    ok: bool | None
    why: Text | None = None
    key: str = ""
    confirmed: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        why = self.why.to_json() if self.why else None
        return {"ok": self.ok, "why": why, "key": self.key, "confirmed": bool(self.ok and self.confirmed)}


class PendingCommands:
    """All tickets of this process. Any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._run = secrets.token_hex(3)  # an id of the last process must not be taken for one of ours
        self._outcomes: OrderedDict[str, CommandOutcome] = OrderedDict()
        self._number = 0

    def open(self, what: str) -> str:
        """Return a new ticket, which is also the id of the command."""
        with self._changed:
            self._number += 1
            ticket = f"{what}-{self._run}-{self._number}"
            self._outcomes[ticket] = CommandOutcome(ok=None)
            while len(self._outcomes) > _KEPT:
                self._outcomes.popitem(last=False)
            return ticket

    def settle(self, ticket: str, outcome: CommandOutcome) -> bool:
        """Say what came of it; return whether it is one of ours that was open."""
        with self._changed:
            known = self._outcomes.get(ticket)
            if known is None or known.ok is not None:
                return False
            self._outcomes[ticket] = outcome
            self._changed.notify_all()
            return True

    def outcome(self, ticket: str, seconds: float) -> CommandOutcome:
        """Return what came of it, after waiting at most *seconds*.

        Raises :class:`RefusedError` for a ticket nobody gave.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            while (found := self._outcomes.get(ticket)) is not None:
                left = deadline - time.monotonic()
                if found.ok is not None or left <= 0:
                    return found
                self._changed.wait(left)
        shown = visible(ticket[:100])
        raise RefusedError(Text(f"there is no command `{shown}`", f"没有命令 `{shown}`"))
