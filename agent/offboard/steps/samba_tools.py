"""Samba's own tools: queries, commands, and the logins with a password that Samba keeps.

Rules of this file: each call is bounded in time, because cuts of others wait behind it, and when one did not answer
nothing is called for half a minute. What a tool does not report is unknown and never none. A message goes to a process
by Samba's own sockets and is no signal, so it reaches nothing that is not Samba's, whatever its name. The tools find
the configuration in Samba's built-in place, or where ``SMB_CONF_PATH`` in the agent's environment says. Sources:
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
from rules.text import Message, Sentence
from rules.visible import visible

_CONFIGURED = ("etc/samba/smb.conf", "usr/local/samba/etc/smb.conf")
_NEEDED = ("smbstatus", "smbcontrol", "sharesec")
_LOCAL = ("tdbsam", "smbpasswd")  # kept on this host alone; the others belong to a directory service

_SECONDS = 2.0
_AGAIN = 30.0  # seconds until tools that did not answer are called again: cuts of others wait meanwhile
_DENIED = re.compile(r"ACL:S-1-22-1-(\d+):DENIED/")
_SID = "S-1-22-1-"  # of a Unix uid, which every user of smbd has besides their own

HARMLESS = "0xc0000"
"""Rights to change permissions and owners: without them a user can still work, and their access differs."""
EVERYTHING = "0x1f01bf"
"""All but one that is never given alone: an administrator's own entry against everything (``FULL``) looks different."""


def installed(root: Path) -> bool:
    """Whether the host at *root* has Samba's tools, and something that configures it."""
    has_tools = all(shutil.which(tool, path=commands.ENVIRONMENT["PATH"]) for tool in _NEEDED)
    return has_tools and (
        commands.SMB_CONF in commands.ENVIRONMENT or any((root / path).exists() for path in _CONFIGURED)
    )


def serves() -> bool:
    """Whether a process of root's here may be Samba's: else there is no connection, and no query is needed."""
    return any(process.name.startswith(LENDERS) for process in tasks.lenders())


def status() -> SmbStatus:
    """Return the connections. Raises :class:`RefusedError` when they are not reported."""
    try:
        return samba_status.parse(_output(("smbstatus", "--json")))
    except ValueError as error:
        reason = visible(str(error))
        raise RefusedError(Message("offboard.smbstatus-unreadable", reason=reason)) from None


def path_of(share: str) -> str | None:
    """Return the directory of *share*, ``None`` where that is not known or differs from user to user."""
    reply = _call(("testparm", "-s", f"--section-name={share}", "--parameter-name=path"))
    path = reply.output.strip()
    return path if reply.error is None and Path(path).is_absolute() and "%" not in path else None


def deny(share: str, uids: Collection[int], rights: str) -> Sentence | None:
    """Deny *uids* these rights on *share* until :func:`allow`, in its list of access; return why that is not so."""
    return _call(("sharesec", f"--add={_entries(uids, rights)}", "--", share)).error


def allow(share: str, uids: Collection[int]) -> Sentence | None:
    """Take back the denials of :func:`deny` on *share*; return the error, if any."""
    both = ",".join(_entries(uids, rights) for rights in (HARMLESS, EVERYTHING))
    return _call(("sharesec", f"--remove={both}", "--", share)).error


def take_back(uids: Collection[int] | None = None) -> None:
    """Take back the denials of :func:`deny` left by a killed run, for *uids* or for all.

    Raises :class:`RefusedError`.
    """
    share = ""
    denied_uids: dict[str, set[int]] = {}
    for line in _output(("sharesec", "--view-all")).splitlines():
        if line.startswith("[") and line.endswith("]"):
            share = line[1:-1]
        elif (denied := _DENIED.match(line)) and (uids is None or int(denied[1]) in uids):
            denied_uids.setdefault(share, set()).add(int(denied[1]))
    for error in [
        allow(share, share_uids) for share, share_uids in sorted(denied_uids.items())
    ]:  # an administrator's own entry stays
        if error:
            raise RefusedError(error)


def close_changed(pid: int, share: str) -> None:
    """Make the process *pid* close *share* for users whose access has changed since they connected."""
    _call(("smbcontrol", "--", str(pid), "close-denied-share", share))


def close_all(pid: int, share: str) -> None:
    """Make the process *pid* close *share* for all users of its connection."""
    _call(("smbcontrol", "--", str(pid), "close-share", share))


def shut_down(pid: int) -> None:
    """Have the process *pid* end, and its connection with it."""
    _call(("smbcontrol", str(pid), "shutdown"))


def logins(uids: Collection[int]) -> dict[str, int]:
    """Return which of *uids* may log in with a password kept by Samba on this host: uids by name.

    Raises :class:`RefusedError` when that is not reported.
    """
    if not uids or not _output(("testparm", "-s", "--parameter-name=passdb backend")).startswith(_LOCAL):
        return {}
    rows = (line.split(":") for line in _output(("pdbedit", "-L")).splitlines())
    names = {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit() and int(row[1]) in uids}
    return {name: uid for name, uid in names.items() if not _disabled(name)}


def disable(name: str) -> Sentence | None:
    """Disable the password of *name*; return the error, if any."""
    conf = commands.ENVIRONMENT.get(commands.SMB_CONF)  # this tool alone does not read it from the environment
    error = _call(("smbpasswd", *(("-c", conf) if conf else ()), "-d", "--", name)).error
    if error is None and not _disabled(name):
        account = visible(name)
        return Message("offboard.samba-login-still-allowed", account=account)
    return error


def _disabled(name: str) -> bool:
    listing = _call(("pdbedit", "-L", "-v", "-u", name)).output
    flags = next((line.partition("[")[2] for line in listing.splitlines() if line.startswith("Account Flags:")), "")
    return "D" in flags


def _entries(uids: Collection[int], rights: str) -> str:
    return ",".join(f"{_SID}{uid}:DENIED/0x0/{rights}" for uid in sorted(uids))


def _output(argv: Sequence[str]) -> str:
    """Return the output of a tool. Raises :class:`RefusedError` when it failed: then nothing is known."""
    reply = _call(argv)
    if reply.error:
        raise RefusedError(reply.error)
    return reply.output


def _call(argv: Sequence[str]) -> CommandResult:
    if (seconds_left := _STUCK.seconds_left()) > 0:
        return CommandResult("", Message("offboard.samba-not-answering", seconds=seconds_left))
    began = time.monotonic()
    reply = commands.call(argv, _SECONDS)
    if reply.error and time.monotonic() - began >= _SECONDS:
        _STUCK.since = time.monotonic()
    return reply


class _Stuck:
    """The time Samba last failed to answer: a stopped smbd may have left its tables locked for all."""

    since: float | None = None

    def seconds_left(self) -> float:
        """Return for how many seconds no query is made."""
        return 0.0 if self.since is None else self.since + _AGAIN - time.monotonic()


_STUCK = _Stuck()
