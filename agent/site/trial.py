"""The end of a site's trial, marked by a file beside the registry: for the decider, and for ``doctor`` without an
agent.

Rules of this file: the file records what the control process has seen in registry or log, and only makes rules
stricter. The control process itself reads the log again at each start (:mod:`agent.control.trial_end`).
"""

from contextlib import suppress

from agent.runtime.home import Home
from agent.runtime.ours import private


def is_over(home: Home) -> bool:
    """Return whether the end of the trial is marked."""
    return home.trial_over.exists()


def tell(home: Home, *, over: bool) -> None:
    """Mark whether the trial has ended. A failure is made good at the next start."""
    with suppress(OSError):
        if over:
            open(home.trial_over, "w", opener=private).close()
        else:
            home.trial_over.unlink(missing_ok=True)
