"""The table of openers with its memory: what a decider knew, the next one knows.

Rules of this file: an open is on the page before it is allowed. Which descriptor is whose is not kept: after a new
start everybody who opened a file in a process counts until it is seen that their descriptors are gone. A record that
cannot be read is nobody's, and who uses that file is refused.
"""

import contextlib
import json

from agent.guard.openers import Inode, Openers
from agent.guard.openers_page import OpenersPage
from agent.kernel.program import Program
from agent.kernel.start_time import start_time
from agent.kernel.subject import Subject


class KeptOpeners(Openers):
    """The table, and what a predecessor has left on *page*."""

    def __init__(self, page: OpenersPage) -> None:
        super().__init__(start_time)
        self._page = page
        for record in page.read():
            with contextlib.suppress(ValueError, TypeError, OverflowError, RecursionError):
                inode, who = parse(record)
                super().add(who, inode, 0)

    def add(self, who: Subject, inode: Inode, moment: int) -> bool:
        """Take note that *who* opens *inode*; ``False`` when there is no room for it."""
        if self.has(who, inode):
            return super().add(who, inode, moment)
        if not super().add(who, inode, moment):
            return False
        return self._page.add(record(inode, who)) or self._page.replace(
            record(inode, one) for inode, one in self.everything()
        )


def record(inode: Inode, who: Subject) -> bytes:
    """Return what is kept of an open."""
    program, name = (text.decode("utf-8", "surrogateescape") for text in (who.executable, who.comm))
    numbers = (*inode, who.fsuid, who.loginuid, who.ruid, who.tgid, who.tid, who.started)
    fields = (*numbers, program, name, who.program, who.let_in)
    return json.dumps(fields, separators=(",", ":")).encode()


def parse(data: bytes) -> tuple[Inode, Subject]:
    """Return what *data* says. Raises ``ValueError``, ``TypeError``, ``OverflowError`` or ``RecursionError``."""
    device, inode, fsuid, loginuid, ruid, tgid, tid, started, *names, file, let_in = json.loads(data)
    path, name = (str(text).encode("utf-8", "surrogateescape") for text in names)
    login = None if loginuid is None else int(loginuid)
    program = None if file is None else Program(*map(int, file))
    who = Subject(
        int(fsuid),
        login,
        int(ruid),
        int(tgid),
        int(tid),
        path,
        name,
        impersonates=True,
        started=int(started),
        program=program,
        let_in=let_in is True,
    )
    return (int(device), int(inode)), who
