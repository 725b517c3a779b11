"""In which groups a caller is now: looked up for each request, by threads that may wait and that nobody waits for long.

    the registry: which groups are the roles' → the name service: their numbers, the account's groups → a standing

Rules of this file: a role is never remembered. What was seen carries when, and is looked up again while the request
waits for its turn. The name service (a directory, sssd) may take its time for one uid: that uid has one thread at a
time, and no other uid waits for it. What it does not say in time is unknown, and gives nobody a role. For root and in a
trial nothing hangs on it, and it is not asked.
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
from rules.text import Text


class SeenGroups(NamedTuple):
    """What was seen of a caller's groups ``at`` an instant (``time.monotonic``, not later than the first look).

    ``groups``: those of the roles, ``numbers``: of the named ones among them. ``present``: those that the account is
    in, ``None`` where this host has no such account. ``broken``: the glass is, of root.
    ``gone``: the host had the account when it was bound, and has it no more.
    """

    at: float
    groups: RoleGroups
    numbers: Mapping[str, int | None]
    present: frozenset[int] | None
    broken: bool = False
    gone: bool = False

    def standing(self, peer: Peer) -> CallerRole:
        """Return what *peer* may act as, by this."""
        return standing(peer, self.groups, self.numbers.get, self.present, broken=self.broken, gone=self.gone)


class RoleSource(NamedTuple):
    """What of the registry roles hang on: the groups, whether the glass is broken, and which accounts the host had."""

    role_groups: Callable[[], RoleGroups]
    glass_is_broken: Callable[[], bool]
    was_on_host: Callable[[int], bool]


class NameService(NamedTuple):
    """What is asked: the number of a named group, and the groups of an account (:mod:`agent.runtime.os_groups`)."""

    gid_of: Callable[[str], int | None]
    present: Callable[[int], frozenset[int] | None]

    def numbers(self, groups: RoleGroups) -> dict[str, int | None]:
        """Return the numbers of the groups that are given by name."""
        named = (groups.system, groups.security, groups.auditor)
        return {group: self.gid_of(group) for group in named if isinstance(group, str)}


class Standings:
    """Looks callers up. Belongs to the event loop; *roles* are read in the one thread of *reader*."""

    def __init__(self, roles: RoleSource, names: NameService, reader: ThreadPoolExecutor) -> None:
        self._roles = roles
        self._names = names
        self._reader = reader
        self._lookups = {kind: Lookups(most) for kind, most in LOOKUPS.items()}

    async def see(self, peer: Peer, kind: CallerKind) -> SeenGroups:
        """Look *peer* up. Raises :class:`RefusedError` when it cannot be seen in time."""
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
        gone = present is None and await loop.run_in_executor(self._reader, self._roles.was_on_host, peer.uid)
        return SeenGroups(at, groups, numbers, present, gone=gone)


def _unknown(uid: int) -> ShoumiError:
    return RefusedError(
        Text(
            f"the name service of this host did not say in time which groups uid {uid} is in, so its role is unknown",
            f"本机名称服务未及时说明 uid {uid} 所在的组，无法确定其角色",
        ),
        Text(f"see how long it takes: id {uid}", f"查看所需时间：id {uid}"),
    )
