"""Messages between the control process and the decider: one JSON object each, over a SOCK_SEQPACKET pair.

Rules of this file: whoever asks puts a fresh ``id`` on its message, and the answer carries it back. The pair outlives
both processes (the holder keeps it), so an answer can come from a successor, come late or never come: an answer
nobody waits for is dropped, and a question without an answer in time is an error, never a success.
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
from rules.text import Text

MAX_MESSAGE = 256 * 1024

Message = dict[str, Any]


def pair() -> tuple[socket.socket, socket.socket]:
    """Make the pair: the control process's end, the decider's end."""
    control, decider = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    for end in (control, decider):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * MAX_MESSAGE)
    return control, decider


def send(end: socket.socket, message: Message) -> None:
    """Send one message. Raises ``OSError``, ``BlockingIOError`` when the other side does not read.

    What the other side could only receive in part is not sent at all: EMSGSIZE.
    """
    data = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    if len(data) > MAX_MESSAGE:
        raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
    end.send(data)


def receive(end: socket.socket) -> Message | None:
    """Take one message without waiting. ``None``: there is none, or nobody is left who could send one.

    What is not a JSON object comes as an empty one.
    """
    try:
        data = end.recv(MAX_MESSAGE, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    if not data:
        return None
    with contextlib.suppress(ValueError, RecursionError):
        message = json.loads(data)
        if isinstance(message, dict):
            return message
    return {}


class ChannelClient:
    """The asking side: the control process. One question at a time; what comes unasked is kept in ``unasked``."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._end.setblocking(False)
        self.unasked: deque[Message] = deque(maxlen=1000)

    def fileno(self) -> int:
        """The descriptor to wait on for unasked messages (``hello`` of a new decider, ``flushed``)."""
        return self._end.fileno()

    def ask(self, message: Message, timeout: float = 5.0) -> Message:
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
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._end], [], [], left)[0]:
                break
            answer = receive(self._end)
            if answer is None:
                continue
            if answer.get("id") == wanted:
                return answer
            if "op" in answer:
                self.unasked.append(answer)
        raise _silent()

    def poll(self) -> list[Message]:
        """Return the unasked messages that have arrived, without waiting."""
        while (message := receive(self._end)) is not None:
            if "op" in message:
                self.unasked.append(message)
        arrived = list(self.unasked)
        self.unasked.clear()
        return arrived


def _too_large() -> RefusedError:
    most = MAX_MESSAGE // 1024
    return RefusedError(Text(f"more than {most} KiB cannot be handed over at once", f"一次最多传递 {most} KiB"))


def _silent() -> UnreachableError:
    return UnreachableError(
        Text("the decider does not answer", "判定进程没有应答"),
        Text(
            "look at `shoumi doctor`; nothing was changed that is not in the log",
            "请运行 `shoumi doctor` 查看；日志中没有的更改都未生效",
        ),
    )
