"""Standings: the groups and role of a caller, looked up for each request in threads with a timeout.

    registry: groups of the roles → name service: their gids, the groups of the account → role

Rules of this file: a role is never cached. A result carries its time, and is renewed while the request waits for its
turn. The name service (a directory, sssd) may be slow for one uid: that uid has one thread at a time, and no other uid
waits for it. Without an answer in time the groups are unknown, and give no role. For root and in a trial the name
service is not queried.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from agent.api.peers import Peer
from agent.api.roles import CallerRole, standing
from agent.control.reception.budgets import LOOKUP, LOOKUPS, CallerKind
from agent.control.reception.lookups import Lookups
from agent.errors import RefusedError, ShoumiError
from agent.runtime.config import RoleGroups
from rules.text import Message


class SeenGroups(NamedTuple):
    """The groups of a caller ``at`` an instant (``time.monotonic``, not later than the first lookup).

    ``groups``: those of the roles, ``numbers``: the gids of those given by name. ``present``: groups of the account,
    ``None`` where this host has no such account. ``broken``: break-glass access is open (root only).
    ``account_removed``: the host had the account when it was bound, and no longer has it.
    """

    at: float
    groups: RoleGroups
    numbers: Mapping[str, int | None]
    present: frozenset[int] | None
    broken: bool = False
    account_removed: bool = False

    def standing(self, peer: Peer) -> CallerRole:
        """Return the role of *peer* by these groups."""
        return standing(
            peer, self.groups, self.numbers.get, self.present, broken=self.broken, gone=self.account_removed
        )


class RoleSource(NamedTuple):
    """Data of the registry for roles: the groups, whether break-glass is open, and known host accounts."""

    role_groups: Callable[[], RoleGroups]
    glass_is_broken: Callable[[], bool]
    was_on_host: Callable[[int], bool]


class NameService(NamedTuple):
    """Lookups of the name service: the gid of a named group, and the groups of an account
    (:mod:`agent.runtime.os_groups`).
    """

    gid_of: Callable[[str], int | None]
    present: Callable[[int], frozenset[int] | None]

    def numbers(self, groups: RoleGroups) -> dict[str, int | None]:
        """Return the gids of the groups given by name."""
        named = (groups.system, groups.security, groups.auditor)
        return {group: self.gid_of(group) for group in named if isinstance(group, str)}


class Standings:
    """Looks up callers. Belongs to the event loop; *roles* are read in the one thread of *reader*."""

    def __init__(self, roles: RoleSource, names: NameService, reader: ThreadPoolExecutor) -> None:
        self._roles = roles
        self._names = names
        self._reader = reader
        self._lookups = {kind: Lookups(most) for kind, most in LOOKUPS.items()}

    async def see(self, peer: Peer, kind: CallerKind) -> SeenGroups:
        """Look up *peer*. Raises :class:`RefusedError` after a timeout."""
        at = time.monotonic()
        loop = asyncio.get_running_loop()
        groups = await loop.run_in_executor(self._reader, self._roles.role_groups)
        if peer.uid == 0:
            broken = await loop.run_in_executor(self._reader, self._roles.glass_is_broken)
            return SeenGroups(at, groups, {}, None, broken)
        if not groups.configured:
            return SeenGroups(at, groups, {}, None)
        try:
            async with asyncio.timeout(LOOKUP):
                numbers, present = await self._lookups[kind].run(
                    peer.uid, lambda: (self._names.numbers(groups), self._names.present(peer.uid))
                )
        except (TimeoutError, OSError):
            raise _unknown(peer.uid) from None
        account_removed = present is None and await loop.run_in_executor(
            self._reader, self._roles.was_on_host, peer.uid
        )
        return SeenGroups(at, groups, numbers, present, account_removed=account_removed)


def _unknown(uid: int) -> ShoumiError:
    return RefusedError(
        Message("control.caller-groups-unknown", uid=uid),
        Message("control.check-name-service", uid=uid),
    )
