"""Reserved sockets of root and the roles, and the kind of each caller.

Rules of this file: the groups of the roles are looked up periodically, and before an act of :data:`NAMING` is answered,
outside the event loop; the last result counts meanwhile, for places only. The kernel reports the groups of a caller.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from agent.api.peers import Peer
from agent.api.roles import THREE, Role
from agent.api.sockets import keep
from agent.control.reception.budgets import CallerKind
from agent.control.reception.lookups import Lookups
from agent.control.reception.standings import NameService
from agent.runtime.config import RoleGroups
from agent.runtime.home import Home

NAMING = frozenset({"role.set", "registry.accept"})  # acts that may change the groups of the roles


class ReservedPlaces:
    """Belongs to the event loop; *role_groups* is read in the one thread of *reader*."""

    def __init__(
        self, home: Home, role_groups: Callable[[], RoleGroups], names: NameService, reader: ThreadPoolExecutor
    ) -> None:
        self._home = home
        self._role_groups = role_groups
        self._names = names
        self._reader = reader
        self._lookups = Lookups(1)
        self._groups: frozenset[int] = frozenset()

    async def refresh(self) -> None:
        """Look up the groups of the roles, and assign their sockets. Raises ``OSError``."""
        groups = await asyncio.get_running_loop().run_in_executor(self._reader, self._role_groups)
        self._groups = await self._lookups.run(0, lambda: self._give(groups))

    def kind_of(self, peer: Peer) -> CallerKind:
        """Return the kind of *peer*, by which it gets a place."""
        if peer.uid == 0:
            return CallerKind.ROOT
        return CallerKind.ROLE if self._groups & peer.groups else CallerKind.STRANGER

    def _give(self, groups: RoleGroups) -> frozenset[int]:
        numbers = self._names.numbers(groups)
        gids: dict[Role, int] = {}
        for role, group in zip(THREE, (groups.system, groups.security, groups.auditor), strict=True):
            gid = numbers[group] if isinstance(group, str) else group
            keep(self._home, role, gid)
            if gid is not None:
                gids[role] = gid
        return frozenset(gids.values())
