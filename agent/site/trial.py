"""That the trial of a site has ended, said beside the registry: for the decider, and for ``doctor`` without an agent.

Rules of this file: what is said is what the control process has seen in registry or log, and only ever makes stricter.
The control process itself looks into the log again at each start (:mod:`agent.control.trial_end`).
"""

from contextlib import suppress

from agent.runtime.home import Home
from agent.runtime.ours import private


def is_over(home: Home) -> bool:
    """Whether it has been said."""
    return home.trial_over.exists()


def tell(home: Home, *, over: bool) -> None:
    """Say whether it has ended. What cannot be said now is said at the next start."""
    with suppress(OSError):
        if over:
            open(home.trial_over, "w", opener=private).close()
        else:
            home.trial_over.unlink(missing_ok=True)
