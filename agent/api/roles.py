"""三员: the role of a caller among the three administrators, if any (contract C8).

Rules of this file: pure. A role comes only from an OS group; a caller in two of the groups has none, because the
roles must stay separate. The groups of the calling process are not enough: the account itself must be in the group
now, and a group that the process has dropped counts against it. root has no role either, with one exception:
a site without any role group is on trial, and uid 0 acts for all three (``bootstrap``); every log entry marks it, and
``doctor`` asks to end the trial.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from agent.api.peers import Peer
from agent.runtime.config import Group, RoleGroups
from rules.text import Message, Sentence


class Role(StrEnum):
    """An administrator role. ``BOOTSTRAP`` is root acting for all three on a site that has not named its groups.

    ``BREAK_GLASS`` is root restoring officers (:mod:`agent.api.operations.break_glass`): the server accepts no other
    act.
    """

    SYSTEM = "system"
    SECURITY = "security"
    AUDITOR = "auditor"
    BOOTSTRAP = "bootstrap"
    BREAK_GLASS = "break-glass"

    @property
    def text(self) -> Sentence:
        """The title of the role."""
        return _TEXTS[self]


_TEXTS = {
    Role.SYSTEM: Message("common.system-administrator"),
    Role.SECURITY: Message("common.security-officer"),
    Role.AUDITOR: Message("common.auditor"),
    Role.BOOTSTRAP: Message("api.role-bootstrap"),
    Role.BREAK_GLASS: Message("common.root-by-break-glass"),
}
THREE = (Role.SYSTEM, Role.SECURITY, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class CallerRole:
    """The role of a caller, or none and the reason."""

    role: Role | None
    why_none: Sentence | None = None

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

    *present*: the groups that the account is in now; ``None`` where this host has no account of that number, so only
    its process can tell. *broken*: the break-glass period is open, so root restores officers.
    *gone*: the host had such an account when it was bound to its person, and has none now. A named group that does not
    exist gives no one its role; it still ends the trial.
    """
    if not groups.configured:
        if peer.uid == 0:
            return CallerRole(Role.BOOTSTRAP)
        return CallerRole(None, Message("api.no-role-groups"))
    if peer.uid == 0 and broken:
        return CallerRole(Role.BREAK_GLASS)
    if peer.uid == 0:
        return CallerRole(None, Message("api.root-without-role"))
    if gone:
        return CallerRole(None, Message("api.account-removed-from-host"))
    gids = {role: _gid(_group(groups, role), gid_of) for role in THREE}
    held = [role for role in THREE if gids[role] in peer.groups and (present is None or gids[role] in present)]
    anyhow = [role for role in THREE if gids[role] in peer.groups | (present or frozenset())]
    if held and len(anyhow) > 1:
        return CallerRole(None, Message("api.caller-with-two-roles", roles=[role.text for role in anyhow]))
    if anyhow and not held:
        if gids[anyhow[0]] in peer.groups:
            return CallerRole(None, Message("api.account-left-role-group"))
        return CallerRole(
            None,
            Message("api.session-before-role"),
        )
    if not held:
        return CallerRole(None, Message("api.caller-without-role"))
    return CallerRole(held[0])


def missing(groups: RoleGroups, gid_of: Callable[[str], int | None]) -> tuple[Role, ...]:
    """Return the roles no one can hold: no group named, or a name that is not a group of this host."""
    return tuple(role for role in THREE if _gid(_group(groups, role), gid_of) is None)


def _group(groups: RoleGroups, role: Role) -> Group | None:
    return {Role.SYSTEM: groups.system, Role.SECURITY: groups.security, Role.AUDITOR: groups.auditor}[role]


def _gid(group: Group | None, gid_of: Callable[[str], int | None]) -> int | None:
    return gid_of(group) if isinstance(group, str) else group
