"""Where a doors process comes from: a child of ours, or a service of its own that comes to our socket.

Rules of this file: shapes only. Which of the two it is, is decided by whether this process has a network
(:func:`agent.rooms.field.unit.has_network`): where systemd leaves it none, a child would have none either.
"""

import socket
from typing import NamedTuple, Protocol

from agent.runtime.supervisor import Supervised


class FieldIdentity(NamedTuple):
    """Who the process is: uid and gid, and the groups its serial ports belong to."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


class Begun(NamedTuple):
    """A doors process that has begun, and what we hold of it; ``-1`` for what there is none of.

    ``life``: closing it tells the process that we are gone. ``errors``: its standard error.
    """

    process: Supervised
    end: socket.socket
    life: int = -1
    errors: int = -1


class FieldOrigin(Protocol):
    """Makes doors processes, one at a time."""

    def ready(self) -> bool:
        """Whether one can begin now. Never waits. May raise :class:`ShoumiError`: none will begin for a while."""

    def begin(self) -> Begun:
        """Begin one. Raises ``OSError``."""

    def close(self) -> None:
        """Make no more."""
