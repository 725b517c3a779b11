"""Registered programs: those of services, and those that admit people without a login uid.

Rules of this file: a program is the registered one when it is the same inode with the same change time and size, lies
at the registered path now, and is executed in the initial namespaces (:mod:`agent.kernel.program`). Where the site
requires a hash, the control process has read this very state of the file first. The text of a path only selects the row
to compare with. Frozen: created anew with every epoch. Registered paths are root's alone (see
:mod:`agent.site.program_file`), so asking the filesystem about them waits for no user.
"""

from collections.abc import Iterable

from agent.kernel import program
from agent.kernel.program import Program
from agent.registry.rows.services import ServiceProgram

Hashed = frozenset[tuple[str, Program]]  # services, and the program state with the registered hash


class RegisteredPrograms:
    """The programs of one epoch. *asks_logins*: not a trial; a person without a login uid has no access."""

    def __init__(self, rows: Iterable[ServiceProgram] = (), *, asks_logins: bool = False) -> None:
        rows = tuple(rows)
        self.asks_logins = asks_logins
        self.services = {(row.uid, row.path): row for row in rows if not row.lets_in}
        self.uids = frozenset(row.uid for row in rows if not row.lets_in)
        self.entrances = {row.path: row for row in rows if row.lets_in}

    def service_of(self, uid: int, executable: bytes) -> ServiceProgram | None:
        """Return the service of such a process, if it runs the registered file."""
        return self.services.get((uid, executable))


def is_registered(row: ServiceProgram, executed: Program | None, hashed: Hashed) -> bool:
    """Return whether *executed* is the program of *row*; ``None`` means unknown."""
    if executed is None or (executed.inode, executed.changed, executed.size) != (row.inode, row.changed, row.size):
        return False
    if row.sha256 and (row.service, executed) not in hashed:
        return False
    try:
        return program.at(row.path) == executed
    except OSError:
        return False
