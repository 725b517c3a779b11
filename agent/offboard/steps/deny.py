"""First of all: the decider denies the person, and has said so.

Rules of this file: nothing waits for this step to succeed. When the decider does not answer, the rest goes on and this
stays pending; a decider that comes back reads the registry before it answers anybody (contract C3).
"""

from agent.errors import ShoumiError
from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget, always
from rules.text import Text
from rules.visible import visible

_SHOWN = 5  # areas of a longer list that are named


def look(leaver: RevocationSubject, _context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return what ends: every open from now on, and every read through what is already open, of what is lost."""
    lost = sorted(leaver.areas or leaver.tries or ())
    if not lost:
        text = Text("every open, and every read through open files", "一切打开操作，以及通过已打开文件的读取")
        return (StepTarget(text),)
    named, more = [f"`{visible(area)}`" for area in lost[:_SHOWN]], len(lost) - _SHOWN
    en = ", ".join(named) + (f" and {more} more areas" if more > 0 else "")
    zh = "、".join(named) + (f" 等 {len(lost)} 个目录" if more > 0 else " ")
    en, zh = f"opens in {en}, and reads through files open there", f"在 {zh}中打开文件，以及通过其中已打开的文件读取"
    return (StepTarget(Text(en, zh)),)


def run(_leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
    """Deny, and wait for the acknowledgement. ``facts``: the epoch, and the instants there are of it."""
    try:
        epoch, at, received, durable = context.deny(case)
    except ShoumiError as error:
        return StepResult(StepState.PENDING, error.text)
    text = Text(f"denied and acknowledged, epoch {epoch}", f"已拒绝并获确认，版次 {epoch}")
    known = {"at": at, "received_at": received, "durable_at": durable}
    facts = {name: instant.isoformat() for name, instant in known.items() if instant}
    return StepResult(StepState.CONFIRMED, text, {"epoch": epoch, **facts})


STEP = RevocationStep(
    "deny",
    Text("deny every access", "拒绝一切访问"),
    always,
    look,
    run,
    early=True,
    urgent=True,
    partly=Text("deny access to what was lost", "拒绝访问所丧失的目录"),
)
