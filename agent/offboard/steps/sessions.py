"""Login sessions known to systemd-logind: lingering ends first, because a lingering manager would come back.

Rules of this file: the processes are not left to logind (``KillUserProcesses`` differs between distributions); the
steps before and after this one end them. Sources: sd_booted(3), loginctl(1).
"""

import shutil

from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import commands
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget
from rules.text import Text

NOT_WANTED = "not_wanted"  # a fact of a step that is no part of its run after all


def commands_for(uid: int, *, leaves: bool = True) -> tuple[tuple[str, ...], ...]:
    """Return what ends the sessions of *uid*, in order. Who stays may linger again after a new login."""
    end = ("loginctl", "terminate-user", str(uid))
    return (("loginctl", "disable-linger", str(uid)), end) if leaves else (end,)


def probe(leaver: RevocationSubject, context: RevocationContext) -> Text | None:
    """Return a reason when systemd does not run here."""
    if not (context.root / "run/systemd/system").is_dir() or shutil.which("loginctl") is None:
        return Text("systemd does not run on this host", "本机未运行 systemd")
    known = any(account.names for account in leaver.accounts)
    return None if known else Text("none of the accounts is known to this host", "本机不存在其任何账号")


def look(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the accounts that have sessions."""
    sessions = context.root / "run/systemd/users"
    there = [account.uid for account in leaver.accounts if (sessions / str(account.uid)).exists()]
    return tuple(StepTarget(Text(f"login sessions of uid {uid}", f"uid {uid} 的登录会话")) for uid in there)


def run(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    """End them; a user logind does not know has none."""
    return _run(leaver, context, leaves=True)


def run_staying(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    """The same for somebody who stays, whose lingering is theirs. The pack is asked again: it could not be read before.

    Raises :class:`agent.errors.RefusedError` while it cannot.
    """
    if not context.end_sessions():
        said = Text("the pack ends no sessions of who stays", "规则包不要求结束留任人员的会话")
        return StepResult(StepState.SKIPPED, said, {NOT_WANTED: True})
    return _run(leaver, context, leaves=False)


def _run(leaver: RevocationSubject, context: RevocationContext, *, leaves: bool) -> StepResult:
    named = [account.uid for account in leaver.accounts if account.names]
    tries = [commands.call(argv) for uid in named for argv in commands_for(uid, leaves=leaves)]
    whys = [said.why for said in tries if said.why and "not logged in" not in said.why.en]
    if whys:
        return StepResult(StepState.PENDING, whys[0])
    if look(leaver, context):
        return StepResult(StepState.DONE, Text("logind was told; it still lists them", "已通知 logind，其仍列有会话"))
    return StepResult(StepState.CONFIRMED, Text("no session is left", "已无登录会话"))


STEP = RevocationStep("sessions", Text("login sessions", "登录会话"), probe, look, run)
STAYING = RevocationStep(STEP.id, STEP.title, probe, look, run_staying, asked=lambda context: context.end_sessions())
"""The same where the person stays, and only where the pack says so."""
