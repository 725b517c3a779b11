"""Which programs count: those of services, and those that let people in who have no login uid.

Rules of this file: a program is the one that was registered when it is the same inode with the same change time and
size, lies at the registered path now, and is executed in the initial namespaces (:mod:`agent.kernel.program`). Where
the site asks for a hash, the control process has read this very state of the file first. The text of a path only says
which row to compare with. Frozen: made anew with every epoch. Paths are root's alone (no others are registered, see
:mod:`agent.site.program_file`), so asking the filesystem about them waits for nobody.
"""

from collections.abc import Iterable

from agent.kernel import program
from agent.kernel.program import Program
from agent.registry.rows.services import ServiceProgram

Hashed = frozenset[tuple[str, Program]]  # services, and the state of their program that has the hash of the registry


class RegisteredPrograms:
    """The programs of one epoch. *asks_logins*: the site is no trial, and a person without a login uid is nobody."""

    def __init__(self, rows: Iterable[ServiceProgram] = (), *, asks_logins: bool = False) -> None:
        rows = tuple(rows)
        self.asks_logins = asks_logins
        self.services = {(row.uid, row.path): row for row in rows if not row.lets_in}
        self.uids = frozenset(row.uid for row in rows if not row.lets_in)
        self.entrances = {row.path: row for row in rows if row.lets_in}

    def service_of(self, uid: int, executable: bytes) -> ServiceProgram | None:
        """Return the service that such a process would be, if it runs the right file."""
        return self.services.get((uid, executable))


def is_registered(row: ServiceProgram, seen: Program | None, hashed: Hashed) -> bool:
    """Whether who executes *seen* executes the program of *row*. *seen* is ``None`` where that is unknown."""
    if seen is None or (seen.inode, seen.changed, seen.size) != (row.inode, row.changed, row.size):
        return False
    if row.sha256 and (row.service, seen) not in hashed:
        return False
    try:
        return program.at(row.path) == seen
    except OSError:
        return False
