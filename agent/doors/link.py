"""Link between the control process and the doors process: strict frames over SOCK_SEQPACKET, non-blocking.

Rules of this file: the doors process faces the wires and may have been compromised, so what control receives is one of
the shapes of :mod:`agent.doors.frames` within its bounds, or it is :class:`LinkCorruptError`, and control ends that
process. The other direction is as strict, to find programming errors. Nothing here blocks: the sender handles
:class:`LinkFullError`.
"""

import socket
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from agent.doors import codec
from agent.doors.frames import FromDoors, ToDoors
from agent.errors import RefusedError, UnreachableError
from rules.text import Message

_In = TypeVar("_In")
_Out = TypeVar("_Out")


class LinkClosedError(UnreachableError):
    """The other process has ended."""

    def __init__(self) -> None:
        super().__init__(Message("doors.link-closed"))


class LinkFullError(UnreachableError):
    """The other process does not read; nothing was sent."""

    def __init__(self) -> None:
        super().__init__(Message("doors.link-full"))


class LinkCorruptError(RefusedError):
    """An invalid frame was received: the other process is faulty or compromised."""

    def __init__(self, reason: str) -> None:
        super().__init__(Message("doors.link-frame-invalid", reason=reason))


class _Direction(NamedTuple):
    """One direction: the parser of a frame, and its largest size in bytes."""

    read: Callable[[bytes], Any]
    largest: int


_TO_DOORS = _Direction(codec.decoder(ToDoors), 192 * 1024)
_FROM_DOORS = _Direction(codec.decoder(FromDoors), 64 * 1024)


class FrameLink(Generic[_In, _Out]):
    """One end of the link; owns its socket. Made by :func:`control_end` or :func:`doors_end`; one thread at a time."""

    def __init__(self, end: socket.socket, hears: _Direction, says: _Direction) -> None:
        end.setblocking(False)
        self._end = end
        self._hears = hears
        self._says = says

    def fileno(self) -> int:
        """Return the descriptor to wait on: readable when a frame has arrived, writable when a frame fits again."""
        return self._end.fileno()

    def send(self, frame: _Out) -> None:
        """Send one frame.

        Raises :class:`LinkFullError` and :class:`LinkClosedError`, and ``ValueError`` when it is too large to be one.
        """
        packet = codec.encode(frame)
        if len(packet) > self._says.largest:
            raise ValueError(f"a frame of {len(packet)} bytes")
        try:
            self._end.send(packet)
        except BlockingIOError:
            raise LinkFullError from None
        except OSError:
            raise LinkClosedError from None

    def receive(self) -> _In | None:
        """Return the next frame, ``None`` when there is none now.

        Raises :class:`LinkCorruptError`, and :class:`LinkClosedError` at the end.
        """
        try:
            packet, _, flags, _ = self._end.recvmsg(self._hears.largest)
        except BlockingIOError:
            return None
        except OSError:
            raise LinkClosedError from None
        if not packet:
            raise LinkClosedError
        if flags & socket.MSG_TRUNC:
            raise LinkCorruptError("frame too large")
        try:
            frame: _In = self._hears.read(packet)
        except codec.InvalidMessageError as error:
            raise LinkCorruptError(str(error)) from None
        return frame

    def close(self) -> None:
        """Close the socket."""
        self._end.close()


def pair() -> tuple[socket.socket, socket.socket]:
    """Return a new socket pair: control's end, and the end the doors process inherits."""
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
