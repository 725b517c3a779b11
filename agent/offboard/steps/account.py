"""The account step: accounts are locked and expired, so that neither a password nor a key starts a session.

Rules of this file: locking alone leaves keys working, so the expiry date is set too, to 1 (1970-01-02; 0 is ambiguous).
It is reversible, and reversing it is an administrator's act. Only accounts of the local files; a directory service has
its own administrator, and the step stays pending until that is done. Sources: usermod(8), shadow(5).
"""

import shutil
from pathlib import Path

from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.guardrails import ordinary
from agent.offboard.steps import commands, places
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget
from rules.text import Message, Sentence
from rules.visible import visible

_EXPIRED = "1"


def command_for(name: str, root: Path) -> tuple[str, ...]:
    """Return the command that locks and expires the account *name* of the host at *root*."""
    elsewhere = () if root == Path("/") else ("--prefix", str(root))
    return ("usermod", *elsewhere, "--lock", "--expiredate", _EXPIRED, "--", name)


def closed(shadow: str, name: str) -> bool:
    """Whether *name* is locked and expired in the shadow(5) file *shadow*."""
    cells = next((line.split(":") for line in shadow.splitlines() if line.split(":")[0] == name), [])
    return len(cells) == 9 and cells[1].startswith("!") and cells[7] == _EXPIRED


def probe(leaver: RevocationSubject, _context: RevocationContext) -> Sentence | None:
    """Return a reason when this host knows none of the accounts, or cannot change them."""
    if not any(account.names for account in leaver.accounts):
        return Message("offboard.accounts-not-on-host")
    return None if shutil.which("usermod") else Message("offboard.no-usermod")


def find_targets(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the accounts that would be closed."""
    names = [visible(name) for name in _local(leaver, context) if not closed(_shadow(context), name)]
    return tuple(StepTarget(Message("offboard.account", name=name)) for name in names)


def run(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    """Close them and read back that they are."""
    local = _local(leaver, context)
    errors = [
        command.error
        for name in local
        if not closed(_shadow(context), name) and (command := commands.call(command_for(name, context.root))).error
    ]
    if errors:
        return StepResult(StepState.PENDING, errors[0])
    facts = {"closed": [name for name in local if closed(_shadow(context), name)]}
    elsewhere = [name for _, name in places.named(leaver) if name not in facts["closed"]]
    if elsewhere:
        text = Message("offboard.disable-in-directory-service", names=[f"`{name}`" for name in elsewhere])
        return StepResult(StepState.PENDING, text, facts)
    return StepResult(StepState.CONFIRMED, Message("offboard.accounts-locked-and-expired"), facts)


def _local(leaver: RevocationSubject, context: RevocationContext) -> list[str]:
    """Return the names in the local files that still belong to these uids: a name may have been reassigned since."""
    own_names = {login.name for login in places.local_logins(context.root) if login.uid in leaver.uids}
    return [name for account, name in places.named(leaver) if name in own_names and ordinary(account.uid)]


def _shadow(context: RevocationContext) -> str:
    try:
        return (context.root / "etc/shadow").read_text(errors="surrogateescape")
    except OSError:
        return ""


STEP = RevocationStep("account", Message("common.lock-expire-accounts"), probe, find_targets, run)
