"""Connections of a Samba server: denied shares are closed, and what is still connected is said.

Rules of this file: only what the person has. ``close-denied-share`` ends connections whose user is denied by now and no
other; a whole client address is cut only when every session from it is the person's. smbd opens files as root or under
a borrowed uid, so its processes are never signalled. Sources: smbcontrol(1), smbstatus(1) ``--json`` (Samba 4.17).
"""

import json
import shutil
from collections.abc import Collection
from typing import Any, NamedTuple

from agent.errors import RefusedError
from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import commands
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget
from rules.text import Text
from rules.visible import visible

_STATUS = ("smbstatus", "--json")


class Connected(NamedTuple):
    """What ``smbstatus --json`` says of one person: addresses that are theirs alone, shared ones, and shares."""

    sessions: int
    own_addresses: tuple[str, ...]
    shared_addresses: tuple[str, ...]
    shares: tuple[str, ...]


def connected(status: str, uids: Collection[int], names: Collection[str]) -> Connected:
    """Return the connections of these accounts. Raises ``ValueError`` when *status* is not what smbstatus writes."""
    tables = json.loads(status)
    sessions, trees = _rows(tables, "sessions"), _rows(tables, "tcons")
    theirs = [row for row in sessions if row.get("uid") in uids or row.get("username") in names]
    ids = {str(row.get("session_id")) for row in theirs}
    others = {_address(row) for row in sessions if row not in theirs}
    addresses = {_address(row) for row in theirs} - {""}
    return Connected(
        sessions=len(theirs),
        own_addresses=tuple(sorted(addresses - others)),
        shared_addresses=tuple(sorted(addresses & others)),
        shares=tuple(
            sorted({str(row["service"]) for row in trees if str(row.get("session_id")) in ids and row.get("service")})
        ),
    )


def commands_for(found: Connected) -> tuple[tuple[str, ...], ...]:
    """Return what ends these connections: denied shares first, then addresses that are the person's alone."""
    closing = tuple(("smbcontrol", "all", "close-denied-share", share) for share in found.shares)
    return closing + tuple(("smbcontrol", "all", "kill-client-ip", address) for address in found.own_addresses)


def probe(_leaver: RevocationSubject, _context: RevocationContext) -> Text | None:
    """Return a reason when no Samba is installed."""
    there = shutil.which("smbcontrol") and shutil.which("smbstatus")
    return None if there else Text("no Samba on this host", "本机没有 Samba")


def look(leaver: RevocationSubject, _context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the connections that would end. Raises :class:`RefusedError` when the server does not say."""
    try:
        found = _ask(leaver)
    except ValueError:
        raise RefusedError(Text("smbstatus does not say", "smbstatus 未给出状态")) from None
    shares = tuple(
        StepTarget(Text(f"share `{visible(name)}`", f"共享 `{visible(name)}`"))
        for name in found.shares
        if found.sessions
    )
    other = Text("others are connected from this address", "该地址上还有其他人的连接")
    return shares + tuple(StepTarget(Text(f"client {at}", f"客户端 {at}"), other) for at in found.shared_addresses)


def run(leaver: RevocationSubject, _context: RevocationContext, _case: str) -> StepResult:
    """End the connections, and ask again."""
    try:
        whys = [said.why for argv in commands_for(_ask(leaver)) if (said := commands.call(argv)).why]
        left = _ask(leaver)
    except ValueError as error:
        why = visible(str(error))
        return StepResult(StepState.PENDING, Text(f"smbstatus does not say: `{why}`", f"smbstatus 未给出状态：`{why}`"))
    if left.sessions:
        count = left.sessions
        text = Text(f"{count} sessions are still connected", f"仍有 {count} 个会话连接")
        return StepResult(StepState.PENDING, whys[0] if whys else text, left._asdict())
    return StepResult(StepState.CONFIRMED, Text("no connection is left", "已无连接"))


def _ask(leaver: RevocationSubject) -> Connected:
    said = commands.call(_STATUS)
    if said.why:
        raise ValueError(said.why.en)
    return connected(said.output, leaver.uids, [name for account in leaver.accounts for name in account.names])


def _rows(tables: object, name: str) -> list[dict[str, Any]]:
    rows = tables.get(name, {}) if isinstance(tables, dict) else None
    if isinstance(rows, dict) and all(isinstance(row, dict) for row in rows.values()):
        return list(rows.values())
    raise ValueError(f"no table of {name}")


def _address(row: dict[str, Any]) -> str:
    return str(row.get("remote_machine") or "")


STEP = RevocationStep(
    "samba",
    Text("Samba connections", "Samba 连接"),
    probe,
    look,
    run,
    Text("files being written over the network may be cut short", "网络写入中的文件可能不完整"),
)
