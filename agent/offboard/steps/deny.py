"""The deny step, the first of all: the decider denies the person and has acknowledged it.

Rules of this file: nothing waits for this step to succeed. When the decider does not answer, the rest goes on and this
step stays pending; a restarted decider reads the registry before it answers any request (contract C3).
"""

from agent.errors import ShoumiError
from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget, always
from rules.text import Message

_SHOWN = 5  # areas of a longer list that are named


def find_targets(leaver: RevocationSubject, _context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return what ends: every open from now on, and every read through open files, in the lost areas."""
    lost = sorted(leaver.areas or leaver.tries or ())
    if not lost:
        text = Message("offboard.all-opens-and-reads")
        return (StepTarget(text),)
    named, more = [f"`{area}`" for area in lost[:_SHOWN]], len(lost) - _SHOWN
    if more > 0:
        return (StepTarget(Message("offboard.opens-and-reads-in-more-areas", areas=named, count=more)),)
    return (StepTarget(Message("offboard.opens-and-reads-in-areas", areas=named)),)


def run(_leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
    """Deny, and wait for the acknowledgement. ``facts``: the epoch, and its known instants."""
    try:
        epoch, at, received, durable = context.deny(case)
    except ShoumiError as error:
        return StepResult(StepState.PENDING, error.text)
    text = Message("offboard.denial-acknowledged", epoch=epoch)
    instants = {"at": at, "received_at": received, "durable_at": durable}
    facts = {name: instant.isoformat() for name, instant in instants.items() if instant}
    return StepResult(StepState.CONFIRMED, text, {"epoch": epoch, **facts})


STEP = RevocationStep(
    "deny",
    Message("common.deny-every-access"),
    always,
    find_targets,
    run,
    early=True,
    urgent=True,
    partly=Message("common.deny-access-lost"),
)
