"""Account of the doors process on this host.

Rules of this file: never root, and never an account of a person. Without an account of its own, it gets a uid that no
account has, so that no other process shares its rights; serial ports then need a real account.
"""

import os
import pwd

from agent.errors import RefusedError
from agent.rooms.field.origin import FieldIdentity
from rules.text import Message
from rules.visible import visible

ACCOUNT = "shoumi-doors"
_FIRST = 64_600  # between the accounts of people and what systemd gives out by itself (systemd.exec(5) DynamicUser)
_LAST = 64_999


def identity(name: str | None) -> FieldIdentity | None:
    """Return the account it switches to; ``None``: the agent is not root, and it keeps the agent's account.

    *name* is the setting ``doors_user``. Raises :class:`RefusedError` when this host has no such account, or it is
    root.
    """
    if os.geteuid() != 0:
        return None
    try:
        return _of(name or ACCOUNT)
    except KeyError:
        if name is None:
            unused = _unused()
            return FieldIdentity(unused, unused)
        raise _no_account(name) from None


def account(name: str | None) -> FieldIdentity:
    """Return the account of a doors process that is not started by the agent. Raises as :func:`identity`."""
    try:
        return _of(name or ACCOUNT)
    except KeyError:
        raise _no_account(name or ACCOUNT) from None


def _of(name: str) -> FieldIdentity:
    entry = pwd.getpwnam(name)
    if 0 in (entry.pw_uid, entry.pw_gid):
        raise RefusedError(Message("common.doors-process-never-root"))
    groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
    return FieldIdentity(entry.pw_uid, entry.pw_gid, tuple(group for group in groups if group != 0))


def _no_account(name: str) -> RefusedError:
    account_name = visible(name)
    return RefusedError(
        Message("rooms.account-not-found", account=account_name),
        Message("rooms.create-account"),
    )


def _unused() -> int:
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    return next(uid for uid in range(_FIRST, _LAST) if uid not in taken)
