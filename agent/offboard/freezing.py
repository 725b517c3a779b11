"""Stopping what a run would end, before the run is written down: so that it reads no more while that gets under way.

Rules of this file: it stops and ends nothing. What is stopped is ended by the run, never let go again; so it is only
for runs that are certain to follow. Whoever asked for a run is never touched by it.
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
    """Return *context* with the processes that asked for *run* among those that are never touched."""
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
    """Stop what a run for *cause* would end, so that it reads no more while that run gets under way.

    Of who goes that is everything, of who stays what holds classified files; what is stopped is ended, never let go
    again. Only where the run is certain to follow; it must be called for by then, because nothing is written down here.
    Nothing is stopped for what is given back.
    """
    known, spared = vetted(leaver), sparing_callers(context, callers)
    if agreed(known, cause, tuple(officers)):
        if cause is Cause.DEPARTURE:
            processes.ending((known,), spared).stop()
        elif cause in _STAYING:
            holders.ending(known, spared).stop()


def freeze_holders(context: RevocationContext, wanted: Sequence[WantedRun]) -> list[bool]:
    """Stop, by one look, what the runs *wanted* would end of people who stay; return which of these had anything.

    A share in use is something, and cannot be stopped: others use it through the same process.
    """
    theirs = [(at, one) for at, one in enumerate(wanted) if one.cause in _STAYING]
    spared = sparing_callers(context, {caller for _, one in theirs for caller in one.callers})
    found = [True] * len(wanted)
    stopped = HolderTerminator([vetted(one.leaver) for _, one in theirs], spared, context.may).stop() if theirs else []
    for (at, _), had in zip(theirs, stopped, strict=True):
        found[at] = had
    idle = [at for at, _ in theirs if not found[at]]
    for at, uses in zip(idle, samba.connected([vetted(wanted[at].leaver) for at in idle], context), strict=True):
        found[at] = uses
    return found


def vetted(leaver: RevocationSubject) -> RevocationSubject:
    """Return *leaver* with the accounts a revocation may touch."""
    return replace(leaver, accounts=tuple(account for account in leaver.accounts if ordinary(account.uid)))
