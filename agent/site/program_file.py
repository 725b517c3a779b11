"""Program files of service accounts: checked at registration, and repeatedly afterwards.

Rules of this file: it reads and never changes. Only a file that nobody but root can write, replace or redirect may be
registered: the file and every directory on its path belong to root, and no others may write there (except a sticky
directory, where files of root cannot be replaced). It is on a local filesystem, so a check waits for no network and no
user's program. A script is not a program: its interpreter runs. A hash is read through the checked descriptor, which is
checked again afterwards. Sources: inode(7), execve(2), path_resolution(7).
"""

import hashlib
import os
import re
import stat
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from agent.errors import RefusedError
from agent.kernel import mountinfo, program
from agent.kernel.program import Program
from agent.registry.repositories.services import SeenProgram
from agent.registry.rows.services import ServiceProgram
from rules.text import Message, Sentence
from rules.visible import visible

_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_PIECE = 1 << 20
_ELSEWHERE = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "afs", "coda", "ceph", "glusterfs", "autofs"}
_INTERPRETER = re.compile(
    r"(?:python|perl|ruby|php|node|lua|tclsh|guile|pypy)[\d.]*|(?:ba|da|z|k|mk|c|tc|fi)?sh|busybox|env|java|[gmn]?awk"
)


class ProgramFile(NamedTuple):
    """A checked program file. ``path`` has no symbolic links; ``sha256`` is ``""`` where no hash is required."""

    path: str
    state: Program
    sha256: str = ""

    @property
    def interpreter(self) -> bool:
        """Whether it is an interpreter: then everything that its uid runs with it is the same service."""
        return is_interpreter(self.path)

    @property
    def row(self) -> SeenProgram:
        """Its identity for the registry."""
        return SeenProgram(self.state.inode, self.state.changed, self.state.size, self.sha256)


class ProgramTrouble(StrEnum):
    """The possible faults of a registered program."""

    UNSEEN = "unseen"  # registered before files were checked
    GONE = "gone"
    CHANGED = "changed"
    WRITABLE = "writable"
    HASH = "hash"


TROUBLE = {
    ProgramTrouble.UNSEEN: Message("site.program-not-checked"),
    ProgramTrouble.GONE: Message("site.program-missing"),
    ProgramTrouble.CHANGED: Message("site.program-changed"),
    ProgramTrouble.WRITABLE: Message("site.program-writable"),
    ProgramTrouble.HASH: Message("site.program-hash-mismatch"),
}


def is_interpreter(path: str) -> bool:
    """Return whether *path* has the name of an interpreter."""
    return _INTERPRETER.fullmatch(Path(path).name) is not None


def look(path: str, sha256: str = "") -> ProgramFile:
    """Return the program file at *path*, for registration. Raises :class:`agent.errors.RefusedError`.

    With *sha256*, in hexadecimal, the whole file is read and must have that hash.
    """
    real = os.path.realpath(path)
    shown_path = visible(real)
    try:
        fd = os.open(real, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        reason = visible(os.strerror(error.errno or 0))
        raise RefusedError(
            Message("site.program-not-opened", path=shown_path, reason=reason),
            Message("site.give-program-path"),
        ) from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or not status.st_mode & 0o111:
            raise _refused(shown_path, Message("site.not-executable"), Message("site.give-executable"))
        if os.pread(fd, 2, 0) == b"#!":
            raise _refused(
                shown_path,
                Message("site.program-is-script"),
                Message("site.register-interpreter"),
            )
        if loose := writable(real):
            shown_loose = visible(loose)
            raise _refused(
                shown_path,
                Message("site.program-replaceable", path=shown_loose),
                Message("site.restrict-program", path=shown_loose),
            )
        if (kind := mountinfo.mount_of(real).fstype) in _ELSEWHERE or kind.partition(".")[0] in ("fuse", "fuseblk"):
            raise _refused(
                shown_path,
                Message("site.program-on-remote-filesystem", kind=kind),
                Message("site.install-on-local-filesystem"),
            )
        digest = _hashed(fd) if sha256 else ""
        if digest != sha256:
            raise _refused(
                shown_path,
                Message("site.program-hash-differs", digest=digest),
                Message("site.find-cause-before-registering"),
            )
        after = program.of(os.fstat(fd))
    finally:
        os.close(fd)
    if after != program.of(status):
        raise _refused(shown_path, Message("site.program-changed-while-read"), Message("site.try-again"))
    return ProgramFile(real, after, digest)


def trouble(row: ServiceProgram) -> ProgramTrouble | None:
    """Return the fault of the program of *row*, except its hash; ``None`` when it is as registered."""
    if row.inode is None:
        return ProgramTrouble.UNSEEN
    try:
        now = program.at(row.path)
        if (now.inode, now.changed, now.size) != (row.inode, row.changed, row.size):
            return ProgramTrouble.CHANGED
        return ProgramTrouble.WRITABLE if writable(os.fsdecode(row.path)) else None
    except OSError:
        return ProgramTrouble.GONE


def state(row: ServiceProgram) -> Program | None:
    """Return the file now at the registered path of *row*, ``None`` when there is none."""
    try:
        return program.at(row.path)
    except OSError:
        return None


def hashed(row: ServiceProgram) -> Program | None:
    """Return the state of the program of *row* if it has the registered hash, otherwise ``None``."""
    try:
        fd = os.open(row.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        before = program.of(os.fstat(fd))
        same = _hashed(fd) == row.sha256
        return before if same and program.of(os.fstat(fd)) == before else None
    except OSError:
        return None
    finally:
        os.close(fd)


def writable(path: str) -> str:
    """Return the first name on *path* where users other than root could replace it, ``""`` for none.

    Raises ``OSError``.
    """
    for at in (Path(path), *Path(path).parents):
        status = at.lstat()
        sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
        if status.st_uid or (status.st_mode & _OTHERS and not sticky):
            return str(at)
    return ""


def _hashed(fd: int) -> str:
    digest, at = hashlib.sha256(), 0
    while piece := os.pread(fd, _PIECE, at):
        digest.update(piece)
        at += len(piece)
    return digest.hexdigest()


def _refused(shown_path: str, reason: Sentence, hint: Sentence) -> RefusedError:
    return RefusedError(Message("site.program-refused", path=shown_path, reason=reason), hint)
