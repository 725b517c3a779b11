"""Origin of a doors process: a child of the agent, or a service of its own that connects to the agent's socket.

Rules of this file: shapes only. The choice depends on whether this process has a network
(:func:`agent.rooms.field.unit.has_network`): where systemd gives it none, a child would have none either.
"""

import socket
from typing import NamedTuple, Protocol

from agent.runtime.supervisor import Supervised


class FieldIdentity(NamedTuple):
    """The account of the process: uid and gid, and the groups of its serial ports."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


class Begun(NamedTuple):
    """A running doors process, and the agent's handles of it; ``-1`` for a missing one.

    ``life``: closing it tells the process that the agent has ended. ``errors``: its standard error.
    """

    process: Supervised
    end: socket.socket
    life: int = -1
    errors: int = -1


class FieldOrigin(Protocol):
    """Provides doors processes, one at a time."""

    def ready(self) -> bool:
        """Return whether one can begin now. Never waits. May raise :class:`ShoumiError`: none can for a while."""

    def begin(self) -> Begun:
        """Return a new doors process. Raises ``OSError``."""

    def close(self) -> None:
        """Stop providing processes."""
