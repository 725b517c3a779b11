"""Samba's own tools: what there is, what it is told, and who may log in with a password that it keeps.

Rules of this file: each is bounded in time, because cuts of others wait behind it, and when one did not answer nothing
is asked for half a minute. What a tool does not say is unknown and never none. A message goes to a process by Samba's
own sockets and is no signal, so it reaches nothing that is not Samba's, whatever it is called. They find the
configuration where Samba was built to look, or where ``SMB_CONF_PATH`` in the agent's environment says. Sources:
smbcontrol(1), sharesec(1), pdbedit(8), smbpasswd(8), testparm(1); ``force_tdis_denied_check`` in
source3/smbd/conn_msg.c (Samba 4.13 on).
"""

import re
import shutil
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from agent.errors import RefusedError
from agent.offboard.guardrails import LENDERS
from agent.offboard.steps import commands, samba_status, tasks
from agent.offboard.steps.commands import CommandResult
from agent.offboard.steps.samba_status import SmbStatus
from rules.text import Text
from rules.visible import visible

_CONFIGURED = ("etc/samba/smb.conf", "usr/local/samba/etc/smb.conf")
_NEEDED = ("smbstatus", "smbcontrol", "sharesec")
_LOCAL = ("tdbsam", "smbpasswd")  # what this host alone keeps; the others are a directory service's

_SECONDS = 2.0
_AGAIN = 30.0  # seconds after which tools that did not answer are asked again: cuts of others wait meanwhile
_DENIED = re.compile(r"ACL:S-1-22-1-(\d+):DENIED/")
_SID = "S-1-22-1-"  # of a Unix uid, which every user of smbd has besides their own

HARMLESS = "0xc0000"
"""Rights to change permissions and owners: without them somebody still works, and their access is another one."""
EVERYTHING = "0x1f01bf"
"""All but one that is never given alone: an administrator's own entry against everything (``FULL``) looks different."""


def installed(root: Path) -> bool:
    """Whether the host at *root* has Samba's tools, and something that configures it."""
    there = all(shutil.which(tool, path=commands.ENVIRONMENT["PATH"]) for tool in _NEEDED)
    return there and (commands.SMB_CONF in commands.ENVIRONMENT or any((root / path).exists() for path in _CONFIGURED))


def serves() -> bool:
    """Whether a process of root's here may be Samba's: else nobody is connected, and nobody has to be asked."""
    return any(process.name.startswith(LENDERS) for process in tasks.lenders())


def status() -> SmbStatus:
    """Return who is connected. Raises :class:`RefusedError` when that is not said."""
    try:
        return samba_status.parse(_said(("smbstatus", "--json")))
    except ValueError as error:
        why = visible(str(error))
        raise RefusedError(Text(f"smbstatus does not say: `{why}`", f"smbstatus 未给出状态：`{why}`")) from None


def path_of(share: str) -> str | None:
    """Return the directory of *share*, ``None`` where that is not known or differs from user to user."""
    said = _call(("testparm", "-s", f"--section-name={share}", "--parameter-name=path"))
    path = said.output.strip()
    return path if said.why is None and Path(path).is_absolute() and "%" not in path else None


def deny(share: str, uids: Collection[int], rights: str) -> Text | None:
    """Deny *uids* these rights on *share* until :func:`allow`, in its list of access; return why that is not so."""
    return _call(("sharesec", f"--add={_entries(uids, rights)}", "--", share)).why


def allow(share: str, uids: Collection[int]) -> Text | None:
    """Take back whatever :func:`deny` did on *share*; return why that is not so."""
    both = ",".join(_entries(uids, rights) for rights in (HARMLESS, EVERYTHING))
    return _call(("sharesec", f"--remove={both}", "--", share)).why


def take_back(uids: Collection[int] | None = None) -> None:
    """Take back what :func:`deny` did anywhere to *uids*, or anybody, and nobody took back, who was killed.

    Raises :class:`RefusedError`.
    """
    share = ""
    found: dict[str, set[int]] = {}
    for line in _said(("sharesec", "--view-all")).splitlines():
        if line.startswith("[") and line.endswith("]"):
            share = line[1:-1]
        elif (denied := _DENIED.match(line)) and (uids is None or int(denied[1]) in uids):
            found.setdefault(share, set()).add(int(denied[1]))
    for why in [allow(share, theirs) for share, theirs in sorted(found.items())]:  # an administrator's own entry stays
        if why:
            raise RefusedError(why)


def close_changed(pid: int, share: str) -> None:
    """Have the process *pid* close *share* for those whose access to it is another one than when they connected."""
    _call(("smbcontrol", "--", str(pid), "close-denied-share", share))


def close_all(pid: int, share: str) -> None:
    """Have the process *pid* close *share* for everybody in its connection."""
    _call(("smbcontrol", "--", str(pid), "close-share", share))


def shut_down(pid: int) -> None:
    """Have the process *pid* end, and its connection with it."""
    _call(("smbcontrol", str(pid), "shutdown"))


def logins(uids: Collection[int]) -> dict[str, int]:
    """Return who of *uids* may log in with a password kept by Samba on this host: uids by name.

    Raises :class:`RefusedError` when that is not said.
    """
    if not uids or not _said(("testparm", "-s", "--parameter-name=passdb backend")).startswith(_LOCAL):
        return {}
    rows = (line.split(":") for line in _said(("pdbedit", "-L")).splitlines())
    names = {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit() and int(row[1]) in uids}
    return {name: uid for name, uid in names.items() if not _disabled(name)}


def disable(name: str) -> Text | None:
    """Have no password let *name* in; return why that is not so."""
    conf = commands.ENVIRONMENT.get(commands.SMB_CONF)  # which this tool alone does not look for there
    why = _call(("smbpasswd", *(("-c", conf) if conf else ()), "-d", "--", name)).why
    if why is None and not _disabled(name):
        shown = visible(name)
        return Text(f"Samba still lets `{shown}` log in", f"Samba 仍允许 `{shown}` 登录")
    return why


def _disabled(name: str) -> bool:
    said = _call(("pdbedit", "-L", "-v", "-u", name)).output
    flags = next((line.partition("[")[2] for line in said.splitlines() if line.startswith("Account Flags:")), "")
    return "D" in flags


def _entries(uids: Collection[int], rights: str) -> str:
    return ",".join(f"{_SID}{uid}:DENIED/0x0/{rights}" for uid in sorted(uids))


def _said(argv: Sequence[str]) -> str:
    """Return what a tool said. Raises :class:`RefusedError` when it failed: then nothing is known."""
    said = _call(argv)
    if said.why:
        raise RefusedError(said.why)
    return said.output


def _call(argv: Sequence[str]) -> CommandResult:
    if (left := _STUCK.left()) > 0:
        return CommandResult(
            "", Text(f"Samba did not answer; asked again in {left:.0f} s", f"Samba 未应答；{left:.0f} 秒后再试")
        )
    began = time.monotonic()
    said = commands.call(argv, _SECONDS)
    if said.why and time.monotonic() - began >= _SECONDS:
        _STUCK.since = time.monotonic()
    return said


class _Stuck:
    """When Samba did not answer last: a stopped smbd may have left its tables locked for everybody."""

    since: float | None = None

    def left(self) -> float:
        """Return how many seconds nothing is asked of it."""
        return 0.0 if self.since is None else self.since + _AGAIN - time.monotonic()


_STUCK = _Stuck()
