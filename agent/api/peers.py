"""Peers: the process and account at the other end of the control socket.

Rules of this file: the kernel is asked, the caller never. Uid and groups are those the caller had when it
connected (unix(7): SO_PEERCRED, SO_PEERGROUPS); changing them afterwards changes nothing. The login uid is read from
/proc of the process that connected, which is pinned by a descriptor (SO_PEERPIDFD, Linux 6.5). For a process that has
ended it is unknown, which differs from no login.
"""

import errno
import os
import select
import socket
import struct
from dataclasses import dataclass, field, replace
from pathlib import Path

SO_PEERGROUPS = 59  # asm-generic/socket.h; the same on x86, arm64, riscv and s390; not in Python's socket module
SO_PEERPIDFD = 77
_UNSET = 0xFFFFFFFF
_MOST_GROUPS = 4096
_UCRED = struct.Struct("iII")


@dataclass(frozen=True, slots=True)
class Peer:
    """A caller. ``groups`` holds the effective gid and every supplementary one.

    ``loginuid`` is ``None`` when it is unset, and when it is not ``login_known``. ``process`` is the process it is
    read from again; the agent's own acts have none.
    """

    pid: int
    uid: int
    gid: int
    groups: frozenset[int]
    loginuid: int | None = None
    login_known: bool = True
    process: "PinnedProcess | None" = field(default=None, compare=False, repr=False)


class PinnedProcess:
    """A process pinned by its descriptor: while this object lives, its answers are of no other process."""

    def __init__(self, pid: int, descriptor: int) -> None:
        """*descriptor*: a pidfd; it is closed with this object."""
        self._pid = pid
        self._descriptor = descriptor
        self._end = select.poll()
        self._end.register(descriptor, select.POLLIN)

    def __del__(self) -> None:
        os.close(self._descriptor)

    def login_uid(self) -> int | None:
        """Return the login uid, ``None`` when it is unset. Raises ``ProcessLookupError`` once the process has ended."""
        loginuid = self._read("loginuid")
        return None if int(loginuid) == _UNSET else int(loginuid)

    def has_uid(self, uid: int) -> bool:
        """Whether the process acts as *uid* now. Raises ``ProcessLookupError``."""
        [line] = [line for line in self._read("status").splitlines() if line.startswith("Uid:")]
        return int(line.split()[2]) == uid

    def _read(self, name: str) -> str:
        try:
            content = Path(f"/proc/{self._pid}/{name}").read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise ProcessLookupError(errno.ESRCH, str(error)) from error
        if self._end.poll(0):  # checked afterwards: the pid may belong to another process by now
            raise ProcessLookupError(errno.ESRCH, "it has ended")
        return content


def credentials(connection: socket.socket) -> Peer:
    """Return the peer of a connected unix stream socket; without its login uid.

    Raises ``OSError`` if the kernel does not answer, and for a peer in more than 4,096 groups: only a user namespace
    makes so many, to make each lookup cost milliseconds.
    """
    pid, uid, gid = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return Peer(pid, uid, gid, frozenset({gid, *_groups(connection)}), login_known=False)


def _groups(connection: socket.socket) -> tuple[int, ...]:
    room = 64
    while True:
        try:
            raw = connection.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, room * 4)
        except OSError as error:
            if error.errno != errno.ERANGE or room >= _MOST_GROUPS:
                raise
            room *= 4
        else:
            return struct.unpack(f"{len(raw) // 4}I", raw)


def with_login(peer: Peer, connection: socket.socket) -> Peer:
    """Return *peer* of *connection* with its login uid; unknown where its process has ended or cannot be read."""
    try:
        process = _pinned(peer, connection)
        return replace(peer, loginuid=process.login_uid(), login_known=True, process=process)
    except OSError:
        return peer


def seen_again(peer: Peer) -> Peer:
    """Return *peer* as it is now: its login is known while the process that connected lives and keeps its login uid."""
    if peer.process is None:
        return peer
    try:
        same = peer.process.login_uid() == peer.loginuid
    except OSError:
        same = False
    return peer if same else replace(peer, loginuid=None, login_known=False)


def _pinned(peer: Peer, connection: socket.socket) -> PinnedProcess:
    try:
        return PinnedProcess(peer.pid, connection.getsockopt(socket.SOL_SOCKET, SO_PEERPIDFD))
    except OSError as error:
        if error.errno != errno.ENOPROTOOPT:
            raise
    process = PinnedProcess(peer.pid, os.pidfd_open(peer.pid))
    if not process.has_uid(peer.uid):  # before Linux 6.5 another process may have the pid by now
        raise ProcessLookupError(errno.ESRCH, "the number is another one's")
    return process
