"""The pair between the control process and the doors process: strict frames over SOCK_SEQPACKET, never waiting.

Rules of this file: the doors process faces the wires and may have been taken over, so what control receives is one of
the shapes of :mod:`agent.doors.frames` within its bounds, or it is :class:`LinkCorruptError`, and control ends that
process. The other way is as strict, to find mistakes. Nothing here blocks: a pair that is :class:`LinkFullError` is the
sender's to handle.
"""

import socket
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from agent.doors import codec
from agent.doors.frames import FromDoors, ToDoors
from agent.errors import RefusedError, UnreachableError
from rules.text import Text

_In = TypeVar("_In")
_Out = TypeVar("_Out")


class LinkClosedError(UnreachableError):
    """The other process has ended."""

    def __init__(self) -> None:
        super().__init__(Text("the other end of the doors link is closed", "门禁链路的对端已关闭"))


class LinkFullError(UnreachableError):
    """The other process does not read; nothing was sent."""

    def __init__(self) -> None:
        super().__init__(Text("the other end of the doors link does not read", "门禁链路的对端没有读取"))


class LinkCorruptError(RefusedError):
    """What came is no frame: the other process is broken, or not ours any more."""

    def __init__(self, why: str) -> None:
        super().__init__(
            Text(f"what came over the doors link is no frame: {why}", f"门禁链路上收到的数据不是有效帧：{why}")
        )


class _Way(NamedTuple):
    """One direction: what reads a frame, and the bytes it may have."""

    read: Callable[[bytes], Any]
    largest: int


_TO_DOORS = _Way(codec.decoder(ToDoors), 192 * 1024)
_FROM_DOORS = _Way(codec.decoder(FromDoors), 64 * 1024)


class FrameLink(Generic[_In, _Out]):
    """One end, which owns its socket. Made by :func:`control_end` or :func:`doors_end`; one thread at a time."""

    def __init__(self, end: socket.socket, hears: _Way, says: _Way) -> None:
        end.setblocking(False)
        self._end = end
        self._hears = hears
        self._says = says

    def fileno(self) -> int:
        """Return what to wait on: readable when :meth:`receive` has something, writable when a frame fits again."""
        return self._end.fileno()

    def send(self, frame: _Out) -> None:
        """Send one frame.

        Raises :class:`LinkFullError` and :class:`LinkClosedError`, and ``ValueError`` when it is too large to be one.
        """
        data = codec.encode(frame)
        if len(data) > self._says.largest:
            raise ValueError(f"a frame of {len(data)} bytes")
        try:
            self._end.send(data)
        except BlockingIOError:
            raise LinkFullError from None
        except OSError:
            raise LinkClosedError from None

    def receive(self) -> _In | None:
        """Take one frame, ``None`` when there is none now.

        Raises :class:`LinkCorruptError`, and :class:`LinkClosedError` at the end.
        """
        try:
            data, _, flags, _ = self._end.recvmsg(self._hears.largest)
        except BlockingIOError:
            return None
        except OSError:
            raise LinkClosedError from None
        if not data:
            raise LinkClosedError
        if flags & socket.MSG_TRUNC:
            raise LinkCorruptError("too large")
        try:
            found: _In = self._hears.read(data)
        except codec.InvalidMessageError as error:
            raise LinkCorruptError(str(error)) from None
        return found

    def close(self) -> None:
        """Let go of the socket."""
        self._end.close()


def pair() -> tuple[socket.socket, socket.socket]:
    """Make the pair: control's end, and the end the doors process inherits."""
    control, doors = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    for end in (control, doors):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * _TO_DOORS.largest)
    return control, doors


def control_end(end: socket.socket) -> FrameLink[FromDoors, ToDoors]:
    """Return control's side of the link over *end*."""
    return FrameLink(end, _FROM_DOORS, _TO_DOORS)


def doors_end(end: socket.socket) -> FrameLink[ToDoors, FromDoors]:
    """Return the doors process's side of the link over *end*."""
    return FrameLink(end, _TO_DOORS, _FROM_DOORS)
