"""Query budget of people without a role, whose queries read the log (contract C13).

Rules of this file: for any thread. A query over the budget is refused without an entry, because the entry is its cost.
An account is forgotten one minute after its last query.
"""

import threading
import time
from collections import deque

_MOST, _SECONDS = 6, 60.0
_ACCOUNTS = 10_000  # remembered at a time; beyond it no new account is answered until some are forgotten


class AskingBudget:
    """A budget of six queries for each account and minute."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._recent: dict[int, deque[float]] = {}

    def takes(self, uid: int) -> bool:
        """Return whether *uid* may query now; count the query if so."""
        now = time.monotonic()
        with self._turn:
            if uid not in self._recent and len(self._recent) >= _ACCOUNTS:
                self._recent = {account: times for account, times in self._recent.items() if now - times[-1] < _SECONDS}
                if len(self._recent) >= _ACCOUNTS:
                    return False
            times = self._recent.setdefault(uid, deque(maxlen=_MOST))
            if len(times) == _MOST and now - times[0] < _SECONDS:
                return False
            times.append(now)
            return True
