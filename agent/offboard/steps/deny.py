"""First of all: the decider denies the person, and has said so.

Rules of this file: nothing waits for this step to succeed. When the decider does not answer, the rest goes on and this
stays pending; a decider that comes back reads the registry before it answers anybody (contract C3).
"""

from agent.errors import ShoumiError
from agent.offboard.context import Context, Leaver
from agent.offboard.steps.step import Result, State, Step, Target, always
from rules.text import Text


def look(_leaver: Leaver, _context: Context) -> tuple[Target, ...]:
    """Return what ends: every open from now on, and every read through what is already open."""
    return (Target(Text("every open, and every read through open files", "一切打开操作，以及通过已打开文件的读取")),)


def run(leaver: Leaver, context: Context, _case: str) -> Result:
    """Deny, and wait for the acknowledgement. ``facts``: the epoch, and when it was acknowledged."""
    try:
        epoch, at = context.deny(leaver.id)
    except ShoumiError as error:
        return Result(State.PENDING, error.text)
    text = Text(f"denied and acknowledged, epoch {epoch}", f"已拒绝并获确认，版次 {epoch}")
    return Result(State.CONFIRMED, text, {"epoch": epoch, "at": at.isoformat()})


STEP = Step("deny", Text("deny every access", "拒绝一切访问"), always, look, run, early=True, urgent=True)
