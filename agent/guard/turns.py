"""Turns: the right to read the groups, held by the holder or the living decider, never by both (see ``holder``).

Rules of this file: a decider that is ready asks with its number (:meth:`agent.guard.heartbeat.Heartbeat.starts`) and
reads nothing before the holder has answered with the same number. Numbers of ended deciders are dropped on both sides.
One packet of eight bytes over a SOCK_SEQPACKET pair that outlives every decider.
"""

import contextlib
import select
import socket
import struct

_NUMBER = struct.Struct("=Q")


def pair() -> tuple[socket.socket, socket.socket]:
    """Create the pair: the holder's end, the deciders' end."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    for end in ends:
        end.setblocking(False)
    return ends


def has_asked(end: socket.socket, number: int) -> bool:
    """Holder: return whether decider *number* has asked for its turn."""
    return number in _numbers(end)


def give(end: socket.socket, number: int) -> None:
    """Holder: give the turn to decider *number*."""
    with contextlib.suppress(OSError):  # full of unread answers: that decider is killed for its missing beats
        end.send(_NUMBER.pack(number))


def take(end: socket.socket, number: int, life: int) -> bool:
    """Decider *number*: ask, and wait for the turn. ``False``: the holder is gone (end of file on *life*)."""
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
    numbers = set()
    with contextlib.suppress(BlockingIOError):
        while packet := end.recv(64):
            if len(packet) == _NUMBER.size:
                numbers.add(_NUMBER.unpack(packet)[0])
    return numbers
