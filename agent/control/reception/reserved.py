"""The sockets that are kept for root and the roles, and which places a caller takes.

Rules of this file: the groups of the roles are looked up again and again, and before an act of :data:`NAMING` is
answered, away from the event loop; what was found last counts meanwhile: for a place, and for nothing else. The kernel
says of which groups a caller is.
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

NAMING = frozenset({"role.set", "registry.accept"})  # acts after which other groups may be those of the roles


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

    async def look(self) -> None:
        """Look up which groups are those of the roles, and give them their sockets. Raises ``OSError``."""
        groups = await asyncio.get_running_loop().run_in_executor(self._reader, self._role_groups)
        self._groups = await self._lookups.run(0, lambda: self._give(groups))

    def kind_of(self, peer: Peer) -> CallerKind:
        """Return whose places *peer* takes."""
        if peer.uid == 0:
            return CallerKind.ROOT
        return CallerKind.ROLE if self._groups & peer.groups else CallerKind.STRANGER

    def _give(self, groups: RoleGroups) -> frozenset[int]:
        numbers = self._names.numbers(groups)
        found: dict[Role, int] = {}
        for role, group in zip(THREE, (groups.system, groups.security, groups.auditor), strict=True):
            gid = numbers[group] if isinstance(group, str) else group
            keep(self._home, role, gid)
            if gid is not None:
                found[role] = gid
        return frozenset(found.values())
