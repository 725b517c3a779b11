"""The number a canary has as a user: nobody's on this host, and nobody's at this site.

Rules of this file: it lies where neither accounts nor containers nor systemd's own users are numbered (UIDS-GIDS of
systemd: above 1,879,048,191), so that no file can be its own and no process shares it. The host is asked once, the
registry each time: it costs nothing, and an account registered under this number would be let in.
"""

import pwd
from collections.abc import Callable, Collection

from agent.errors import RefusedError
from rules.text import Text

FIRST, LAST = 2_146_000_000, 2_146_000_099


class CanaryUid:
    """*taken* returns the numbers of registered accounts and services."""

    def __init__(self, taken: Callable[[], Collection[int]]) -> None:
        self._taken = taken
        self._uid = -1

    def __call__(self) -> int:
        """Return the number. Raises :class:`RefusedError` when there is none left."""
        taken = self._taken()
        if self._uid < 0 or self._uid in taken:
            self._uid = next((uid for uid in range(FIRST, LAST) if uid not in taken and not _known(uid)), -1)
        if self._uid < 0:
            raise RefusedError(Text("every number for the canary is somebody's", "没有可供探针使用的用户编号"))
        return self._uid


def _known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
