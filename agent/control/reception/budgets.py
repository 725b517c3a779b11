"""Budgets of each kind of caller on the control sockets: places, bytes, seconds, turns (contract C13).

Rules of this file: numbers and their names; the table in ``docs/architecture.md`` is made from here. The kernel
determines the kind of a caller at connection, without slow lookups; it assigns capacity and no right. Rights are
determined anew for each request (:mod:`agent.control.reception.standings`).
"""

from enum import Enum
from typing import Final, NamedTuple

from agent.api import protocol
from rules.text import Message, Sentence


class CallerKind(Enum):
    """Kind of caller, by which places and turns are assigned. The order is that of turns."""

    ROLE = "role"  # its process is in the group of a role
    ROOT = "root"
    STRANGER = "stranger"  # all others

    @property
    def text(self) -> Sentence:
        """The kind as a sentence."""
        return _TEXTS[self]


_TEXTS: Final = {
    CallerKind.ROLE: Message("control.callers-with-role"),
    CallerKind.ROOT: Message("common.root"),
    CallerKind.STRANGER: Message("control.callers-others"),
}


class Budget(NamedTuple):
    """Limits of one kind of caller.

    ``places``: connections in total, ``places_each``: per uid. ``running``, ``running_each``: queries under way.
    ``streams_each``: streams per uid. ``line_seconds``: from the first byte of a request to its end. ``idle_seconds``:
    without a request under way. ``write_seconds``: for reading an answer. ``pause``: seconds between an answer and the
    next request of the connection. ``parts``: all their queries together get one part in this many of the time of a
    thread.
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


QUESTIONS: Final = 8  # threads that answer queries
REHEARSING: Final = 2.0  # rehearsals get one part in this many of the time of one thread
BUDGETS: Final = {
    CallerKind.ROLE: Budget(128, 32, QUESTIONS, 4, 16, line_seconds=10, idle_seconds=600, write_seconds=30),
    CallerKind.ROOT: Budget(64, 64, QUESTIONS, QUESTIONS, 32, line_seconds=10, idle_seconds=600, write_seconds=30),
    CallerKind.STRANGER: Budget(
        64, 16, 1, 1, 1, line_seconds=5, idle_seconds=15, write_seconds=5, pause=0.5, parts=4.0
    ),
}

SMALL: Final = 4096  # bytes of a request, with its newline, from a caller without a known role
LARGE: Final = protocol.LIMIT  # … with a role

BATCH: Final = 4  # connections accepted from a socket at a time
REST: Final = 0.04  # seconds between two batches from the public socket

FRESH: Final = 2.0  # seconds: older group lookups do not permit an act
LOOKUP: Final = 5.0  # seconds for the name service to return the groups of an account
LOOKUPS: Final = {CallerKind.ROLE: 32, CallerKind.ROOT: 1, CallerKind.STRANGER: 16}  # concurrent lookups; one per uid
