"""The sessions step: login sessions of systemd-logind. Lingering ends first, because a lingering manager would restart.

Rules of this file: the processes are not left to logind (``KillUserProcesses`` differs between distributions); the
steps before and after this one end them. Sources: sd_booted(3), loginctl(1).
"""

import shutil

from agent.language.catalogue import localized
from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import commands
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget
from rules.text import Message, Sentence

NOT_WANTED = "not_wanted"  # a fact of a step that proved to be no part of its run


def commands_for(uid: int, *, leaves: bool = True) -> tuple[tuple[str, ...], ...]:
    """Return the commands that end the sessions of *uid*, in order. A person who stays may linger again later."""
    end = ("loginctl", "terminate-user", str(uid))
    return (("loginctl", "disable-linger", str(uid)), end) if leaves else (end,)


def probe(leaver: RevocationSubject, context: RevocationContext) -> Sentence | None:
    """Return a reason when systemd does not run here."""
    if not (context.root / "run/systemd/system").is_dir() or shutil.which("loginctl") is None:
        return Message("offboard.no-systemd")
    has_names = any(account.names for account in leaver.accounts)
    return None if has_names else Message("offboard.accounts-not-on-host")


def find_targets(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the accounts that have sessions."""
    sessions = context.root / "run/systemd/users"
    uids_with_sessions = [account.uid for account in leaver.accounts if (sessions / str(account.uid)).exists()]
    return tuple(StepTarget(Message("offboard.login-sessions-of-uid", uid=uid)) for uid in uids_with_sessions)


def run(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    """End them; a user logind does not know has none."""
    return _run(leaver, context, leaves=True)


def run_staying(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    """The same for a person who stays, whose lingering is theirs. The pack is read again: it could not be read before.

    Raises :class:`agent.errors.RefusedError` while it cannot.
    """
    if not context.end_sessions():
        reason = Message("offboard.pack-keeps-sessions")
        return StepResult(StepState.SKIPPED, reason, {NOT_WANTED: True})
    return _run(leaver, context, leaves=False)


def _run(leaver: RevocationSubject, context: RevocationContext, *, leaves: bool) -> StepResult:
    named = [account.uid for account in leaver.accounts if account.names]
    tries = [commands.call(argv) for uid in named for argv in commands_for(uid, leaves=leaves)]
    errors = [reply.error for reply in tries if reply.error and "not logged in" not in localized(reply.error, "en")]
    if errors:
        return StepResult(StepState.PENDING, errors[0])
    if find_targets(leaver, context):
        return StepResult(StepState.DONE, Message("offboard.logind-still-lists-sessions"))
    return StepResult(StepState.CONFIRMED, Message("offboard.no-login-session"))


STEP = RevocationStep("sessions", Message("common.login-sessions"), probe, find_targets, run)
STAYING = RevocationStep(
    STEP.id, STEP.title, probe, find_targets, run_staying, enabled=lambda context: context.end_sessions()
)
"""The same where the person stays, and only where the pack says so."""
