"""OS groups: their numbers, and which administrator roles a person's accounts hold on this host.

Rules of this file: OS groups decide, as at the control socket; the name service is asked here and nowhere near an open.
"""

import grp
import os
import pwd
from collections.abc import Iterable

from agent.runtime.config import Group, RoleGroups


def roles_of(uids: Iterable[int], groups: RoleGroups) -> tuple[frozenset[str], frozenset[str]]:
    """Return the roles the accounts *uids* hold, and those of them that no other account of this host holds."""
    mine = frozenset(uids)
    held: set[str] = set()
    sole: set[str] = set()
    for role in ("system", "security", "auditor"):
        group = getattr(groups, role)
        members = _members(group) if group is not None else frozenset()
        if members & mine:
            held.add(role)
            if members <= mine:
                sole.add(role)
    return frozenset(held), frozenset(sole)


def _members(group: Group) -> frozenset[int]:
    gid = group if isinstance(group, int) else gid_of(group)
    if gid is None:
        return frozenset()
    return frozenset(one.pw_uid for one in pwd.getpwall() if gid in os.getgrouplist(one.pw_name, one.pw_gid))


def gid_of(name: str) -> int | None:
    """Return the number of the group *name*, ``None`` when this host has no such group."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None
