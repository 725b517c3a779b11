"""The steps of a revocation, in order, and which of them a cause needs.

Rules of this file: a table. What cuts access comes first and waits for nobody; what could start something again goes
before the last look at processes; what takes as long as there are files comes last. Door controllers are added by
whoever wires them, as steps of their own that run alongside.
"""

from agent.offboard.steps import (
    account,
    acl,
    at,
    cron,
    deny,
    holders,
    keys,
    processes,
    samba,
    sessions,
    tickets,
    timers,
    units,
)
from agent.offboard.steps.step import RevocationStep

STEPS: tuple[RevocationStep, ...] = (
    deny.STEP,
    holders.STEP,
    processes.STEP,
    samba.STEP,
    units.STEP,
    timers.STEP,
    sessions.STEP,
    cron.STEP,
    at.STEP,
    keys.STEP,
    account.STEP,
    tickets.STEP,
    processes.AGAIN,
    acl.STEP,
)

LEAVING = tuple(step for step in STEPS if step is not holders.STEP)
"""The person goes: everything ends."""

STAYING = (deny.STEP, holders.STEP, samba.STAYING, sessions.STAYING)
"""The person stays (hold, expiry, transfer, loss): access ends, and only what holds classified files with it.

Login sessions end too where the pack says so.
"""

RESTORING = (acl.BACK,)
"""Something is given back: what would still refuse the person on the disk is taken away."""
