"""Who is at the other end of the control socket.

Rules of this file: the kernel answers, the caller is never asked. Uid and groups are those the caller had when it
connected (unix(7): SO_PEERCRED, SO_PEERGROUPS); changing them afterwards changes nothing. The login uid is read from
/proc and is for the log only: the process may be gone by then, and no right hangs on it.
"""

import errno
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

SO_PEERGROUPS = 59  # asm-generic/socket.h; the same on x86, arm64, riscv and s390; not in Python's socket module
_UNSET = 0xFFFFFFFF
_UCRED = struct.Struct("iII")


@dataclass(frozen=True, slots=True)
class Peer:
    """A caller. ``groups`` holds the effective gid and every supplementary one; ``loginuid`` is ``None`` when unset."""

    pid: int
    uid: int
    gid: int
    groups: frozenset[int]
    loginuid: int | None = None


def identify(connection: socket.socket) -> Peer:
    """Return the peer of a connected unix stream socket; raise ``OSError`` if the kernel does not tell."""
    pid, uid, gid = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return Peer(pid, uid, gid, frozenset({gid, *_groups(connection)}), _loginuid(pid))


def _groups(connection: socket.socket) -> tuple[int, ...]:
    room = 64
    while True:
        try:
            raw = connection.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, room * 4)
        except OSError as error:
            if error.errno != errno.ERANGE or room >= 1 << 16:  # NGROUPS_MAX
                raise
            room *= 4
        else:
            return struct.unpack(f"{len(raw) // 4}I", raw)


def _loginuid(pid: int) -> int | None:
    try:
        value = int(Path(f"/proc/{pid}/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if value == _UNSET else value
