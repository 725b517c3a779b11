"""三员: which of the three administrators a caller is, if any (contract C8).

Rules of this file: pure. A role comes from an OS group and from nothing else; whoever is in two of the groups has
none, because two hands are the point. root has no role either, with one exception: while the site has named no role
group at all, uid 0 acts for all three (``bootstrap``), every entry says so, and ``doctor`` keeps asking to end it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from agent.api.peers import Peer
from agent.runtime.config import Group, RoleGroups
from rules.text import Text


class Role(StrEnum):
    """An administrator role. ``BOOTSTRAP`` is root acting for all three on a site that has not named its groups."""

    SYSTEM = "system"
    SECURITY = "security"
    AUDITOR = "auditor"
    BOOTSTRAP = "bootstrap"

    @property
    def text(self) -> Text:
        """The role as a person reads it."""
        return _TEXTS[self]


_TEXTS = {
    Role.SYSTEM: Text("system administrator", "系统管理员"),
    Role.SECURITY: Text("security officer", "安全保密管理员"),
    Role.AUDITOR: Text("auditor", "安全审计员"),
    Role.BOOTSTRAP: Text("root, acting for all three roles", "root（代行三员）"),
}
THREE = (Role.SYSTEM, Role.SECURITY, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class CallerRole:
    """What a caller may act as: one role, or none and the reason."""

    role: Role | None
    why_none: Text | None = None

    def may(self, allowed: frozenset[Role]) -> bool:
        """Whether this caller may do what *allowed* roles may do."""
        return self.role is not None and (self.role in allowed or self.role is Role.BOOTSTRAP)


def standing(peer: Peer, groups: RoleGroups, gid_of: Callable[[str], int | None]) -> CallerRole:
    """Return the one role of *peer*. ``gid_of`` looks a group name up and returns ``None`` if there is none.

    A named group that does not exist gives nobody its role; it still ends the bootstrap.
    """
    if not groups.configured:
        if peer.uid == 0:
            return CallerRole(Role.BOOTSTRAP)
        return CallerRole(
            None, Text("no role group is set yet, so only root may act", "尚未设置角色组，只有 root 可以操作")
        )
    if peer.uid == 0:
        return CallerRole(None, Text("root has no role", "root 没有角色"))
    held = [role for role in THREE if _gid(_group(groups, role), gid_of) in peer.groups]
    if len(held) > 1:
        both = Text(" + ".join(r.text.en for r in held), "、".join(r.text.zh for r in held))
        return CallerRole(
            None, Text(f"a caller in two roles has none ({both.en})", f"兼任两个角色者无任何权限（{both.zh}）")
        )
    if not held:
        return CallerRole(None, Text("the caller is in no role group", "调用者不在任何角色组中"))
    return CallerRole(held[0])


def missing(groups: RoleGroups, gid_of: Callable[[str], int | None]) -> tuple[Role, ...]:
    """Return the roles nobody can hold: no group named, or a name that is not a group of this host."""
    return tuple(role for role in THREE if _gid(_group(groups, role), gid_of) is None)


def _group(groups: RoleGroups, role: Role) -> Group | None:
    return {Role.SYSTEM: groups.system, Role.SECURITY: groups.security, Role.AUDITOR: groups.auditor}[role]


def _gid(group: Group | None, gid_of: Callable[[str], int | None]) -> int | None:
    return gid_of(group) if isinstance(group, str) else group
