"""三员: which of the three administrators a caller is, if any (contract C8).

Rules of this file: pure. A role comes from an OS group and from nothing else; whoever is in two of the groups has
none, because two hands are the point. The groups of the calling process are not enough: the account itself must be in
the group now, and a group that the process has shed counts against it. root has no role either, with one exception:
while the site has named no role group at all, it is a trial, and uid 0 acts for all three (``bootstrap``); every entry
says so, and ``doctor`` keeps asking to end it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from agent.api.peers import Peer
from agent.runtime.config import Group, RoleGroups
from rules.text import Text


class Role(StrEnum):
    """An administrator role. ``BOOTSTRAP`` is root acting for all three on a site that has not named its groups.

    ``BREAK_GLASS`` is root restoring offices (:mod:`agent.api.operations.break_glass`): the server lets nothing else
    pass.
    """

    SYSTEM = "system"
    SECURITY = "security"
    AUDITOR = "auditor"
    BOOTSTRAP = "bootstrap"
    BREAK_GLASS = "break-glass"

    @property
    def text(self) -> Text:
        """The role as a person reads it."""
        return _TEXTS[self]


_TEXTS = {
    Role.SYSTEM: Text("system administrator", "系统管理员"),
    Role.SECURITY: Text("security officer", "安全保密管理员"),
    Role.AUDITOR: Text("auditor", "安全审计员"),
    Role.BOOTSTRAP: Text("root, acting for all three roles", "root（代行三员）"),
    Role.BREAK_GLASS: Text("root, by the broken glass", "root（应急）"),
}
THREE = (Role.SYSTEM, Role.SECURITY, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class CallerRole:
    """What a caller may act as: one role, or none and the reason."""

    role: Role | None
    why_none: Text | None = None

    def may(self, allowed: frozenset[Role]) -> bool:
        """Whether this caller may do what *allowed* roles may do."""
        return self.role is not None and (self.role in allowed or self.role in (Role.BOOTSTRAP, Role.BREAK_GLASS))


def standing(
    peer: Peer,
    groups: RoleGroups,
    gid_of: Callable[[str], int | None],
    present: frozenset[int] | None = None,
    *,
    broken: bool = False,
    gone: bool = False,
) -> CallerRole:
    """Return the one role of *peer*. ``gid_of`` looks a group name up and returns ``None`` if there is none.

    *present*: the groups that the account is in now; ``None`` where this host has no account of that number, so that
    nothing but its process can say. *broken*: the glass is, so that root restores offices.
    *gone*: the host had such an account when it was bound to its person, and has none now. A named group that does not
    exist gives nobody its role; it still ends the trial.
    """
    if not groups.configured:
        if peer.uid == 0:
            return CallerRole(Role.BOOTSTRAP)
        return CallerRole(
            None, Text("no role group is set yet, so only root may act", "尚未设置角色组，只有 root 可以操作")
        )
    if peer.uid == 0 and broken:
        return CallerRole(Role.BREAK_GLASS)
    if peer.uid == 0:
        return CallerRole(None, Text("root has no role", "root 没有角色"))
    if gone:
        return CallerRole(None, Text("this host has no such account any more", "本机已没有该账号"))
    gids = {role: _gid(_group(groups, role), gid_of) for role in THREE}
    held = [role for role in THREE if gids[role] in peer.groups and (present is None or gids[role] in present)]
    anyhow = [role for role in THREE if gids[role] in peer.groups | (present or frozenset())]
    if held and len(anyhow) > 1:
        both = Text(" + ".join(r.text.en for r in anyhow), "、".join(r.text.zh for r in anyhow))
        return CallerRole(
            None, Text(f"a caller in two roles has none ({both.en})", f"兼任两个角色者无任何权限（{both.zh}）")
        )
    if anyhow and not held:
        if gids[anyhow[0]] in peer.groups:
            return CallerRole(None, Text("the account is not in its role group any more", "该账号已不在角色组中"))
        return CallerRole(
            None,
            Text("the session is older than the account's role: log in again", "会话早于角色授予，请重新登录"),
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
