"""Access that was given back: what the personnel system said before that must not take it again.

Rules of this file: the registry is the truth, a case that two officers rescinded. The inbox learns of it right after
the act, and before it takes anything up at every start, so that no crash between the two leaves an old event in force.
"""

from collections.abc import Iterable
from typing import Any

from agent.offboard import database
from agent.offboard.intake.store import Store
from agent.runtime.home import Home
from rules.offboarding.case import OffboardingCase


def forget_older(home: Home, cases: Iterable[OffboardingCase]) -> dict[str, Any]:
    """Make every event from before the rescission of one of *cases* end nothing any more. May be repeated.

    Raises :class:`agent.errors.ShoumiError` when that cannot be stored: the hold of the rescission is in force anyway.
    Returns what an answer says of it: nothing.
    """
    with Store(database.path(home.root)) as store:
        for case in cases:
            if case.rescinded and case.approved_at:
                store.restored(case.person, case.rescissions[-1].at)
    return {}
