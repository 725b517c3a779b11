"""Replay guard for restored access: earlier notices of the personnel system must not end it again.

Rules of this file: the registry is authoritative: a case that two officers rescinded. The inbox is updated right after
the act, and at every start before it processes anything, so that no crash in between leaves an old event in force.
"""

from collections.abc import Iterable
from typing import Any

from agent.offboard import database
from agent.offboard.intake.store import Store
from agent.runtime.home import Home
from rules.offboarding.case import OffboardingCase


def forget_older(home: Home, cases: Iterable[OffboardingCase]) -> dict[str, Any]:
    """Invalidate every event from before the rescission of one of *cases*. Idempotent.

    Raises :class:`agent.errors.ShoumiError` when that cannot be stored; the hold of the rescission is in force anyway.
    Returns no fields for the answer.
    """
    with Store(database.path(home.root)) as store:
        for case in cases:
            if case.rescinded and case.approved_at:
                store.restored(case.person, case.rescissions[-1].at)
    return {}
