"""The channel between the control process and the decider: one JSON object per message, over a SOCK_SEQPACKET pair.

Rules of this file: each request has a fresh ``id``, and its answer carries it back. The pair outlives both processes
(the holder keeps it), so an answer can come from a successor, come late or never come: an unexpected answer is dropped,
and a request without an answer in time is an error, never a success.
"""

import contextlib
import errno
import json
import os
import secrets
import select
import socket
import time
from collections import deque
from typing import Any

from agent.errors import RefusedError, UnreachableError
from rules.text import Message

MAX_MESSAGE = 256 * 1024

Packet = dict[str, Any]


def pair() -> tuple[socket.socket, socket.socket]:
    """Create the pair: the control process's end, the decider's end."""
    control, decider = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    for end in (control, decider):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * MAX_MESSAGE)
    return control, decider


def send(end: socket.socket, message: Packet) -> None:
    """Send one message. Raises ``OSError``, ``BlockingIOError`` when the other side does not read.

    A message that the other side could only receive in part is not sent: EMSGSIZE.
    """
    packet = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    if len(packet) > MAX_MESSAGE:
        raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
    end.send(packet)


def receive(end: socket.socket) -> Packet | None:
    """Return one message without waiting. ``None``: there is none, or the other side is closed.

    A message that is not a JSON object is returned as an empty one.
    """
    try:
        packet = end.recv(MAX_MESSAGE, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    if not packet:
        return None
    with contextlib.suppress(ValueError, RecursionError):
        message = json.loads(packet)
        if isinstance(message, dict):
            return message
    return {}


class ChannelClient:
    """The requesting end: the control process. One request at a time; other messages are kept in ``unasked``."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._end.setblocking(False)
        self.unasked: deque[Packet] = deque(maxlen=1000)

    def fileno(self) -> int:
        """The descriptor to wait on for unasked messages (``hello`` of a new decider, ``flushed``)."""
        return self._end.fileno()

    def ask(self, message: Packet, timeout: float = 5.0) -> Packet:
        """Send *message*, return its answer. Raises :class:`UnreachableError` after *timeout* seconds without one.

        Raises :class:`RefusedError` for a message that is too large to be sent.

        Unreachable means *not known to have happened*: the decider may have acted and died before it answered.
        """
        wanted = secrets.token_hex(8)
        deadline = time.monotonic() + timeout
        try:
            send(self._end, {**message, "id": wanted})
        except OSError as error:
            raise (_too_large() if error.errno == errno.EMSGSIZE else _silent()) from None
        while (remaining := deadline - time.monotonic()) > 0:
            if not select.select([self._end], [], [], remaining)[0]:
                break
            answer = receive(self._end)
            if answer is None:
                continue
            if answer.get("id") == wanted:
                return answer
            if "op" in answer:
                self.unasked.append(answer)
        raise _silent()

    def poll(self) -> list[Packet]:
        """Return the unasked messages that have arrived, without waiting."""
        while (message := receive(self._end)) is not None:
            if "op" in message:
                self.unasked.append(message)
        arrived = list(self.unasked)
        self.unasked.clear()
        return arrived


def _too_large() -> RefusedError:
    most = MAX_MESSAGE // 1024
    return RefusedError(Message("runtime.message-too-large", most=most))


def _silent() -> UnreachableError:
    return UnreachableError(
        Message("runtime.decider-not-responding"),
        Message("runtime.run-doctor-changes-are-logged"),
    )
