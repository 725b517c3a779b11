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
_MOST_GROUPS = 4096
_UCRED = struct.Struct("iII")


@dataclass(frozen=True, slots=True)
class Peer:
    """A caller. ``groups`` holds the effective gid and every supplementary one; ``loginuid`` is ``None`` when unset."""

    pid: int
    uid: int
    gid: int
    groups: frozenset[int]
    loginuid: int | None = None


def credentials(connection: socket.socket) -> Peer:
    """Return the peer of a connected unix stream socket, without its login uid.

    Raises ``OSError`` if the kernel does not tell, and for one that is in more than 4,096 groups: nobody is but who has
    made themselves so in a user namespace, to make each look at them cost milliseconds.
    """
    pid, uid, gid = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return Peer(pid, uid, gid, frozenset({gid, *_groups(connection)}))


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


def login_uid(pid: int) -> int | None:
    """Return the login uid of process *pid*, ``None`` when it has none or is gone."""
    try:
        value = int(Path(f"/proc/{pid}/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if value == _UNSET else value
