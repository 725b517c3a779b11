"""How often a person without a role may have the log read for them (contract C13).

Rules of this file: for any thread. What is over the budget is refused and leaves no entry: an entry is what it would
cost. Accounts that asked are forgotten once their minute is over.
"""

import threading
import time
from collections import deque

_MOST, _SECONDS = 6, 60.0
_ACCOUNTS = 10_000  # remembered at a time; beyond it nobody new is answered until some are forgotten


class AskingBudget:
    """At most six questions an account and minute."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._recent: dict[int, deque[float]] = {}

    def takes(self, uid: int) -> bool:
        """Whether *uid* may ask now; then it counts."""
        now = time.monotonic()
        with self._turn:
            if uid not in self._recent and len(self._recent) >= _ACCOUNTS:
                self._recent = {one: times for one, times in self._recent.items() if now - times[-1] < _SECONDS}
                if len(self._recent) >= _ACCOUNTS:
                    return False
            times = self._recent.setdefault(uid, deque(maxlen=_MOST))
            if len(times) == _MOST and now - times[0] < _SECONDS:
                return False
            times.append(now)
            return True
