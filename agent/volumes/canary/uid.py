"""The uid of canaries: assigned to nobody on this host and nobody at this site.

Rules of this file: it is outside the ranges of accounts, containers and systemd's own users (UIDS-GIDS of systemd:
above 1,879,048,191), so that it owns no file and no process shares it. The host is checked once, the registry each
time, because an account registered with this uid would have access.
"""

import pwd
from collections.abc import Callable, Collection

from agent.errors import RefusedError
from rules.text import Message

FIRST, LAST = 2_146_000_000, 2_146_000_099


class CanaryUid:
    """The canary's uid. *taken* returns the uids of registered accounts and services."""

    def __init__(self, taken: Callable[[], Collection[int]]) -> None:
        self._taken = taken
        self._uid = -1

    def __call__(self) -> int:
        """Return the uid. Raises :class:`RefusedError` when none is free."""
        taken = self._taken()
        if self._uid < 0 or self._uid in taken:
            self._uid = next((uid for uid in range(FIRST, LAST) if uid not in taken and not _is_account(uid)), -1)
        if self._uid < 0:
            raise RefusedError(Message("volumes.no-free-canary-uid"))
        return self._uid


def _is_account(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
