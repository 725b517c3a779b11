"""What each kind of caller may have of the control sockets: places, bytes, seconds, turns (contract C13).

Rules of this file: numbers and the words for them; ``docs/architecture.md`` has its table from here. Of which kind a
caller is says the kernel when they connect, and hangs on nothing that may be slow; it gives them room and no right.
What they may do is judged anew for each request (:mod:`agent.control.reception.standings`).
"""

from enum import Enum
from typing import Final, NamedTuple

from agent.api import protocol
from rules.text import Text


class CallerKind(Enum):
    """Whose places and turns a caller takes. The order is that of turns: the first comes first."""

    ROLE = "role"  # its process is in the group of a role
    ROOT = "root"
    STRANGER = "stranger"  # everybody else

    @property
    def text(self) -> Text:
        """The kind as a person reads it."""
        return _TEXTS[self]


_TEXTS: Final = {
    CallerKind.ROLE: Text("in the group of a role", "在角色组中"),
    CallerKind.ROOT: Text("root", "root"),
    CallerKind.STRANGER: Text("everybody else", "其他人"),
}


class Budget(NamedTuple):
    """What one kind of caller may have.

    ``places``: connections in all, ``places_each``: of one uid. ``running``, ``running_each``: questions that are being
    answered. ``streams_each``: streams of one uid. ``line_seconds``: from the first byte of a request to its end.
    ``idle_seconds``: without any request under way. ``write_seconds``: for an answer to be read. ``pause``: seconds
    after an answer before the next request of the connection is read. ``parts``: their questions together have one of
    so many parts of the time of a thread.
    """

    places: int
    places_each: int
    running: int
    running_each: int
    streams_each: int
    line_seconds: float
    idle_seconds: float
    write_seconds: float
    pause: float = 0.0
    parts: float = 1.0


QUESTIONS: Final = 8  # threads that answer questions
REHEARSING: Final = 2.0  # acts are tried on copies in one of so many parts of the time of one thread
BUDGETS: Final = {
    CallerKind.ROLE: Budget(128, 32, QUESTIONS, 4, 16, line_seconds=10, idle_seconds=600, write_seconds=30),
    CallerKind.ROOT: Budget(64, 64, QUESTIONS, QUESTIONS, 32, line_seconds=10, idle_seconds=600, write_seconds=30),
    CallerKind.STRANGER: Budget(
        64, 16, 1, 1, 1, line_seconds=5, idle_seconds=15, write_seconds=5, pause=0.5, parts=4.0
    ),
}

SMALL: Final = 4096  # bytes of a request, with its newline, before its caller is known to have a role
LARGE: Final = protocol.LIMIT  # … and after

BATCH: Final = 4  # connections that are taken from a socket at a time
REST: Final = 0.04  # seconds between two batches from the socket that everybody reaches

FRESH: Final = 2.0  # seconds: an act is not done by groups that were looked up longer ago
LOOKUP: Final = 5.0  # seconds the name service has to say in which groups an account is
LOOKUPS: Final = {CallerKind.ROLE: 32, CallerKind.ROOT: 1, CallerKind.STRANGER: 16}  # at a time; one of each uid
