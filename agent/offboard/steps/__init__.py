"""The steps of a revocation, in order, and the selection for each cause.

Rules of this file: a table. Steps that cut access come first and wait for nothing; steps against restarts come before
the last scan of processes; steps that take as long as there are files come last. Door controllers are added by the code
that wires them, as steps of their own that run alongside.
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
"""The person stays (hold, expiry, transfer, loss): access ends, and the processes that hold classified files.

Login sessions end too where the pack says so.
"""

RESTORING = (acl.BACK,)
"""Access is restored: deny entries of the person on the disk are removed."""
