"""Signalling every process of an account in one call, where that hits none that is never touched.

Rules of this file: whether the call may be made is asked before each (:func:`agent.offboard.guardrails.sweepable`).
Where it may not, or cannot be, the account's processes are for the caller to find one by one.
"""

import signal
from collections.abc import Collection

from agent.offboard.guardrails import Process, Rails, sweepable
from agent.offboard.steps import signals, tasks


def protected_leaders(rails: Rails) -> list[Process]:
    """Return what is never touched as ``kill(-1)`` sees it: each by its first thread."""
    return [process for pid in rails.pids if (process := tasks.leader(pid))]


def swept(uid: int, number: signal.Signals, protected: Collection[Process]) -> bool:
    """Send *number* to every process of *uid*; return whether it was sent."""
    if not sweepable(uid, protected):
        return False
    try:
        signals.sweep(uid, number)
    except OSError:  # the child could not be made, or was not let
        return False
    return True
