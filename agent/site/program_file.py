"""The file of a program that is to count: looked at when it is registered, and again and again afterwards.

Rules of this file: it reads and never changes. What may be registered nobody but root can write, replace or lead
elsewhere: the file and every folder on its way are root's, and no others may write there (a sticky folder, where nobody
replaces what is root's, excepted). It lies on a filesystem of this host, so asking about it waits for no network and no
user's program. A script is not a program: what runs is its interpreter. What is hashed is read through the descriptor
that was looked at, and looked at again afterwards. Sources: inode(7), execve(2), path_resolution(7).
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
from rules.text import Text
from rules.visible import visible

_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_PIECE = 1 << 20
_ELSEWHERE = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "afs", "coda", "ceph", "glusterfs", "autofs"}
_INTERPRETER = re.compile(
    r"(?:python|perl|ruby|php|node|lua|tclsh|guile|pypy)[\d.]*|(?:ba|da|z|k|mk|c|tc|fi)?sh|busybox|env|java|[gmn]?awk"
)


class ProgramFile(NamedTuple):
    """What was seen. ``path`` has no symbolic link left in it; ``sha256`` is ``""`` where nobody asked for one."""

    path: str
    state: Program
    sha256: str = ""

    @property
    def interpreter(self) -> bool:
        """Whether it runs what it is given: then all that its uid runs with it is the same service."""
        return is_interpreter(self.path)

    @property
    def row(self) -> SeenProgram:
        """What the registry keeps of it."""
        return SeenProgram(self.state.inode, self.state.changed, self.state.size, self.sha256)


class ProgramTrouble(StrEnum):
    """What a look can find of a program that was registered."""

    UNSEEN = "unseen"  # registered before anybody looked at the file
    GONE = "gone"
    CHANGED = "changed"
    WRITABLE = "writable"
    HASH = "hash"


TROUBLE = {
    ProgramTrouble.UNSEEN: Text("nobody has looked at its program yet", "尚未查验其程序文件"),
    ProgramTrouble.GONE: Text("its program is not there", "其程序文件不存在"),
    ProgramTrouble.CHANGED: Text("its program is another file, or was changed", "其程序文件已被替换或更改"),
    ProgramTrouble.WRITABLE: Text("others than root can write its program", "root 以外的用户可写其程序文件"),
    ProgramTrouble.HASH: Text("its program has another hash than the registered one", "其程序文件的散列值与登记不符"),
}


def is_interpreter(path: str) -> bool:
    """Whether the name at the end of *path* is that of a program that runs what it is given."""
    return _INTERPRETER.fullmatch(Path(path).name) is not None


def look(path: str, sha256: str = "") -> ProgramFile:
    """Return the program file at *path*, to be registered. Raises :class:`agent.errors.RefusedError`.

    With *sha256*, in hexadecimal, it is read whole, and has to have that hash.
    """
    real = os.path.realpath(path)
    shown = visible(real)
    try:
        fd = os.open(real, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        said = visible(os.strerror(error.errno or 0))
        raise RefusedError(
            Text(f"the program `{shown}` cannot be opened: {said}", f"无法打开程序 `{shown}`：{said}"),
            Text("give the path of the program file itself", "请给出程序文件本身的路径"),
        ) from error
    try:
        seen = os.fstat(fd)
        if not stat.S_ISREG(seen.st_mode) or not seen.st_mode & 0o111:
            raise _refused(
                shown, Text("is no program", "不是程序"), Text("give the file that runs", "请给出可执行文件")
            )
        if os.pread(fd, 2, 0) == b"#!":
            raise _refused(
                shown,
                Text("is a script: what runs is its interpreter", "是脚本：实际运行的是其解释器"),
                Text(
                    "register the interpreter, under a uid that runs nothing else",
                    "请登记其解释器，并使用不运行其他程序的专用 uid",
                ),
            )
        if loose := writable(real):
            where = visible(loose)
            raise _refused(
                shown,
                Text(f"can be changed by others than root, at `{where}`", f"root 以外的用户可在 `{where}` 处更改"),
                Text(f"chown root {where} && chmod go-w {where}", f"chown root {where} && chmod go-w {where}"),
            )
        if (kind := mountinfo.mount_of(real).fstype) in _ELSEWHERE or kind.partition(".")[0] in ("fuse", "fuseblk"):
            raise _refused(
                shown,
                Text(
                    f"lies on `{visible(kind)}`: somebody else can exchange it", f"位于 `{visible(kind)}`，可被他人替换"
                ),
                Text("install it on a filesystem of this host", "请安装到本机文件系统"),
            )
        found = _hashed(fd) if sha256 else ""
        if found != sha256:
            raise _refused(
                shown,
                Text(f"has the hash {found}", f"的散列值为 {found}"),
                Text("find out why before you register it", "请先查明原因再登记"),
            )
        after = program.of(os.fstat(fd))
    finally:
        os.close(fd)
    if after != program.of(seen):
        raise _refused(shown, Text("changed while it was read", "在读取时被更改"), Text("try again", "请重试"))
    return ProgramFile(real, after, found)


def trouble(row: ServiceProgram) -> ProgramTrouble | None:
    """Return what is wrong with the program of *row*, its hash left out; ``None`` when it is as it was registered."""
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
    """Return the file that lies at the registered path of *row* now, ``None`` when there is none."""
    try:
        return program.at(row.path)
    except OSError:
        return None


def hashed(row: ServiceProgram) -> Program | None:
    """Return the state of the program of *row* that has its hash, ``None`` when it has another one, or is not there."""
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
    """Return the first name on the way to *path* where others than root could exchange it, ``""`` for none.

    Raises ``OSError``.
    """
    for at in (Path(path), *Path(path).parents):
        seen = at.lstat()
        sticky = stat.S_ISDIR(seen.st_mode) and seen.st_mode & stat.S_ISVTX
        if seen.st_uid or (seen.st_mode & _OTHERS and not sticky):
            return str(at)
    return ""


def _hashed(fd: int) -> str:
    digest, at = hashlib.sha256(), 0
    while piece := os.pread(fd, _PIECE, at):
        digest.update(piece)
        at += len(piece)
    return digest.hexdigest()


def _refused(shown: str, why: Text, hint: Text) -> RefusedError:
    return RefusedError(Text(f"the program `{shown}` {why.en}", f"程序 `{shown}` {why.zh}"), hint)
