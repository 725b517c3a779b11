"""The table of openers, kept across deciders on a shared page.

Rules of this file: an open is on the page before it is allowed. Descriptors are not kept: after a restart every opener
of a file in a process counts until their descriptors are seen to be closed. An unreadable record has no owner, and uses
of that file are denied.
"""

import contextlib
import json

from agent.guard.openers import Inode, Openers
from agent.guard.openers_page import OpenersPage
from agent.kernel.program import Program
from agent.kernel.start_time import start_time
from agent.kernel.subject import Subject


class KeptOpeners(Openers):
    """The table, with the records a predecessor left on *page*."""

    def __init__(self, page: OpenersPage) -> None:
        super().__init__(start_time)
        self._page = page
        for record in page.read():
            with contextlib.suppress(ValueError, TypeError, OverflowError, RecursionError):
                inode, subject = parse(record)
                super().add(subject, inode, 0)

    def add(self, subject: Subject, inode: Inode, moment: int) -> bool:
        """Record that *subject* opens *inode*; ``False`` when there is no room for it."""
        if self.has(subject, inode):
            return super().add(subject, inode, moment)
        if not super().add(subject, inode, moment):
            return False
        return self._page.add(record(inode, subject)) or self._page.replace(
            record(inode, opener) for inode, opener in self.everything()
        )


def record(inode: Inode, subject: Subject) -> bytes:
    """Return the record of an open."""
    program, name = (text.decode("utf-8", "surrogateescape") for text in (subject.executable, subject.comm))
    numbers = (*inode, subject.fsuid, subject.loginuid, subject.ruid, subject.tgid, subject.tid, subject.started)
    fields = (*numbers, program, name, subject.program, subject.let_in)
    return json.dumps(fields, separators=(",", ":")).encode()


def parse(payload: bytes) -> tuple[Inode, Subject]:
    """Return the open in *payload*. Raises ``ValueError``, ``TypeError``, ``OverflowError`` or ``RecursionError``."""
    device, inode, fsuid, loginuid, ruid, tgid, tid, started, *names, file, let_in = json.loads(payload)
    path, name = (str(text).encode("utf-8", "surrogateescape") for text in names)
    login = None if loginuid is None else int(loginuid)
    program = None if file is None else Program(*map(int, file))
    subject = Subject(
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
    return (int(device), int(inode)), subject
