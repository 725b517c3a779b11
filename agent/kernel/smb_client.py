"""The address behind an SMB server process: one ``smbd`` serves one client.

Rules of this file: best effort, for the record only; no verdict depends on it. Source: proc_net_tcp(5).
"""

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

_SERVER_PORTS = frozenset({139, 445})
_ESTABLISHED = "01"


def client_address(pid: int) -> str | None:
    """Return the remote address of the SMB connection process *pid* holds, or ``None``."""
    try:
        held = set(_socket_inodes(pid))
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                columns = line.split()
                local, remote, state, inode = columns[1], columns[2], columns[3], columns[9]
                if state == _ESTABLISHED and inode in held and _port(local) in _SERVER_PORTS:
                    return _address(remote.partition(":")[0])
    except (OSError, ValueError, IndexError):
        return None
    return None


def _socket_inodes(pid: int) -> Iterator[str]:
    for name in os.listdir(f"/proc/{pid}/fd"):
        target = os.readlink(f"/proc/{pid}/fd/{name}")
        if target.startswith("socket:["):
            yield target[8:-1]


def _port(column: str) -> int:
    return int(column.partition(":")[2], 16)


def _address(column: str) -> str:
    words = [int(column[start : start + 8], 16) for start in range(0, len(column), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    if len(packed) == 4:
        return socket.inet_ntop(socket.AF_INET, packed)
    address = socket.inet_ntop(socket.AF_INET6, packed)
    return address.removeprefix("::ffff:")
