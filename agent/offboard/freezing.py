"""Freezing of processes before the run is recorded, so that they read nothing more while the run gets under way.

Rules of this file: it stops processes and ends none. A stopped process is ended by the run and never resumed, so
freezing is only for runs that are certain to follow. It never touches the caller of a run.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.offboard.callers import Caller, living
from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.guardrails import Rails, ordinary
from agent.offboard.journal import Run, WantedRun
from agent.offboard.plan import Cause, agreed
from agent.offboard.steps import holders, processes, samba
from agent.offboard.steps.ending_holders import HolderTerminator

_STAYING = frozenset((Cause.HOLD, Cause.TRANSFER, Cause.EXPIRY, Cause.LOSS))


def sparing(context: RevocationContext, run: Run) -> RevocationContext:
    """Return *context* with the callers of *run* among the protected processes."""
    return sparing_callers(context, run.callers)


def sparing_callers(context: RevocationContext, callers: Iterable[Caller]) -> RevocationContext:
    """Return *context* with these processes among those that are never touched, as long as they live."""
    spared = tuple(callers)

    def rails() -> Rails:
        now = context.rails()
        return replace(now, pids=now.pids | living(spared))

    return replace(context, rails=rails) if spared else context


def freeze_processes(
    leaver: RevocationSubject,
    context: RevocationContext,
    cause: Cause,
    officers: Iterable[str],
    callers: Iterable[Caller],
) -> None:
    """Stop the processes that a run for *cause* would end, so that they read no more while that run gets under way.

    For a departure these are all processes, for a person who stays those that hold classified files; a stopped process
    is ended and never resumed. Only where the run is certain to follow; it must have been requested by then, because
    nothing is recorded here. Nothing is stopped when access is restored.
    """
    vetted_leaver, spared = vetted(leaver), sparing_callers(context, callers)
    if agreed(vetted_leaver, cause, tuple(officers)):
        if cause is Cause.DEPARTURE:
            processes.ending((vetted_leaver,), spared).stop()
        elif cause in _STAYING:
            holders.ending(vetted_leaver, spared).stop()


def freeze_holders(context: RevocationContext, wanted: Sequence[WantedRun]) -> list[bool]:
    """Stop, by one scan, what the runs *wanted* would end of people who stay; return which of these had any target.

    A share in use is a target, and cannot be stopped: others use it through the same process.
    """
    staying = [(at, run) for at, run in enumerate(wanted) if run.cause in _STAYING]
    spared = sparing_callers(context, {caller for _, run in staying for caller in run.callers})
    has_targets = [True] * len(wanted)
    stopped = (
        HolderTerminator([vetted(run.leaver) for _, run in staying], spared, context.may).stop() if staying else []
    )
    for (at, _), had in zip(staying, stopped, strict=True):
        has_targets[at] = had
    idle = [at for at, _ in staying if not has_targets[at]]
    for at, uses in zip(idle, samba.connected([vetted(wanted[at].leaver) for at in idle], context), strict=True):
        has_targets[at] = uses
    return has_targets


def vetted(leaver: RevocationSubject) -> RevocationSubject:
    """Return *leaver* with the accounts a revocation may touch."""
    return replace(leaver, accounts=tuple(account for account in leaver.accounts if ordinary(account.uid)))
