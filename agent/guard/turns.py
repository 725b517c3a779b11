"""Whose turn it is to read the groups: the holder's, or the living decider's. Never both (see ``holder``).

Rules of this file: a decider that is ready asks with its number (:meth:`agent.guard.heartbeat.Heartbeat.starts`) and
reads nothing before the holder has answered with the same number. Numbers of deciders that are gone are dropped on both
sides. One packet of eight bytes over a SOCK_SEQPACKET pair that outlives every decider.
"""

import contextlib
import select
import socket
import struct

_NUMBER = struct.Struct("=Q")


def pair() -> tuple[socket.socket, socket.socket]:
    """Make the pair: the holder's end, the deciders' end."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    for end in ends:
        end.setblocking(False)
    return ends


def asked(end: socket.socket, number: int) -> bool:
    """Holder: whether decider *number* has asked for its turn."""
    return number in _numbers(end)


def give(end: socket.socket, number: int) -> None:
    """Holder: from now on decider *number* reads, and nobody else."""
    with contextlib.suppress(OSError):  # full of answers nobody took: that decider is killed as one that does not beat
        end.send(_NUMBER.pack(number))


def take(end: socket.socket, number: int, life: int) -> bool:
    """Decider *number*: ask, and wait for the turn. ``False``: the holder is gone (*life* has reached its end)."""
    end.setblocking(False)
    _numbers(end)  # answers to predecessors
    with contextlib.suppress(OSError):
        end.send(_NUMBER.pack(number))
    while True:
        ready, _, _ = select.select([end.fileno(), life], [], [])
        if life in ready:
            return False
        if number in _numbers(end):
            return True


def _numbers(end: socket.socket) -> set[int]:
    found = set()
    with contextlib.suppress(BlockingIOError):
        while data := end.recv(64):
            if len(data) == _NUMBER.size:
                found.add(_NUMBER.unpack(data)[0])
    return found
