"""Who the doors process is on this host.

Rules of this file: never root, and never an account that a person logs in with. Without an account made for it, it gets
a number that no account has, so that nothing else on the host is its equal; serial ports then need a real account.
"""

import os
import pwd

from agent.errors import RefusedError
from agent.rooms.field.origin import FieldIdentity
from rules.text import Text
from rules.visible import visible

ACCOUNT = "shoumi-doors"
_FIRST = 64_600  # between the accounts of people and what systemd gives out by itself (systemd.exec(5) DynamicUser)
_LAST = 64_999


def identity(name: str | None) -> FieldIdentity | None:
    """Return who it becomes; ``None``: we are not root, and it stays who we are.

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
    """Return who a doors process has to be that somebody else starts. Raises as :func:`identity`."""
    try:
        return _of(name or ACCOUNT)
    except KeyError:
        raise _no_account(name or ACCOUNT) from None


def _of(name: str) -> FieldIdentity:
    found = pwd.getpwnam(name)
    if 0 in (found.pw_uid, found.pw_gid):
        raise RefusedError(Text("the doors process is never root", "门禁进程不得以 root 身份运行"))
    groups = os.getgrouplist(found.pw_name, found.pw_gid)
    return FieldIdentity(found.pw_uid, found.pw_gid, tuple(group for group in groups if group != 0))


def _no_account(name: str) -> RefusedError:
    said = visible(name)
    return RefusedError(
        Text(f"this host has no account `{said}` for the doors", f"本机没有用于门禁的账户 `{said}`"),
        Text(
            "make it, or leave `doors_user` out of config.toml",
            "请创建该账户，或在 config.toml 中删去 `doors_user`",
        ),
    )


def _unused() -> int:
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    return next(uid for uid in range(_FIRST, _LAST) if uid not in taken)
