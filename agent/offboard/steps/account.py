"""The accounts themselves: locked and expired, so that neither a password nor a key begins anything.

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
from rules.text import Text
from rules.visible import visible

_EXPIRED = "1"


def command_for(name: str, root: Path) -> tuple[str, ...]:
    """Return what locks and expires the account *name* of the host at *root*."""
    elsewhere = () if root == Path("/") else ("--prefix", str(root))
    return ("usermod", *elsewhere, "--lock", "--expiredate", _EXPIRED, "--", name)


def closed(shadow: str, name: str) -> bool:
    """Whether the shadow(5) file *shadow* says that *name* is locked and expired."""
    cells = next((line.split(":") for line in shadow.splitlines() if line.split(":")[0] == name), [])
    return len(cells) == 9 and cells[1].startswith("!") and cells[7] == _EXPIRED


def probe(leaver: RevocationSubject, _context: RevocationContext) -> Text | None:
    """Return a reason when this host knows none of the accounts, or cannot change them."""
    if not any(account.names for account in leaver.accounts):
        return Text("none of the accounts is known to this host", "本机不存在其任何账号")
    return None if shutil.which("usermod") else Text("this host has no usermod", "本机没有 usermod")


def look(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the accounts that would be closed."""
    names = [visible(name) for name in _local(leaver, context) if not closed(_shadow(context), name)]
    return tuple(StepTarget(Text(f"account `{name}`", f"账号 `{name}`")) for name in names)


def run(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    """Close them and read back that they are."""
    local = _local(leaver, context)
    whys = [
        said.why
        for name in local
        if not closed(_shadow(context), name) and (said := commands.call(command_for(name, context.root))).why
    ]
    if whys:
        return StepResult(StepState.PENDING, whys[0])
    facts = {"closed": [name for name in local if closed(_shadow(context), name)]}
    others = [name for _, name in places.named(leaver) if name not in facts["closed"]]
    if others:
        shown = visible(", ".join(others))
        text = Text(f"close these in your directory service: `{shown}`", f"请在目录服务中停用：`{shown}`")
        return StepResult(StepState.PENDING, text, facts)
    return StepResult(StepState.CONFIRMED, Text("locked and expired", "已锁定并设为过期"), facts)


def _local(leaver: RevocationSubject, context: RevocationContext) -> list[str]:
    """Return the names in the local files that are still these uids': a name may have been given to another since."""
    theirs = {login.name for login in places.local_logins(context.root) if login.uid in leaver.uids}
    return [name for account, name in places.named(leaver) if name in theirs and ordinary(account.uid)]


def _shadow(context: RevocationContext) -> str:
    try:
        return (context.root / "etc/shadow").read_text(errors="surrogateescape")
    except OSError:
        return ""


STEP = RevocationStep("account", Text("lock and expire the accounts", "锁定账号并设为过期"), probe, look, run)
