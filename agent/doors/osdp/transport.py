"""Lines to readers: TCP to a serial-to-network converter, and a serial port.

Rules of this file: nothing blocks, and :meth:`Wire.read` and :meth:`Wire.write` raise nothing: a failed line is down,
states the fault, and is retried every second. A serial port is opened exclusively (``TIOCEXCL``). Received bytes are
untrusted and are not interpreted here.
"""

import errno
import fcntl
import os
import select
import socket
import termios
import tty
from abc import ABC, abstractmethod
from typing import Final

from agent.doors.address import Osdp, OsdpSerial
from rules.text import Message
from rules.visible import visible

_RETRY: Final = 1.0  # seconds between two attempts
_CONNECTING: Final = 5.0
_UNACKNOWLEDGED: Final = 5_000  # milliseconds: TCP_USER_TIMEOUT, tcp(7)
_MOST: Final = 4096
_NOT_YET: Final = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR)

_OPENING = Message("doors.line-opening")
_ENDED = Message("doors.line-closed-by-peer")
_NO_ANSWER = Message("doors.connection-timeout")


class Wire(ABC):
    """One line. ``fault``: the reason while it is not up. For one thread."""

    def __init__(self) -> None:
        self.fault: Message | None = _OPENING
        self._retry_at = 0.0

    @property
    def up(self) -> bool:
        """Whether bytes can cross."""
        return self.fault is None

    @property
    @abstractmethod
    def descriptor(self) -> int | None:
        """The descriptor to wait on for input, ``None`` while the line is not up."""

    @abstractmethod
    def tick(self, now: float) -> None:
        """Reopen the line when that is due. *now*: seconds of a steady clock."""

    @abstractmethod
    def read(self) -> bytes:
        """Return the received bytes, possibly none."""

    @abstractmethod
    def write(self, received: bytes) -> int:
        """Send; return the number of bytes sent, -1 when the line is down."""

    @abstractmethod
    def close(self) -> None:
        """Close the line. :meth:`tick` would reopen it."""

    def _failed(self, reason: Message) -> None:
        self.close()
        self.fault = reason


def wire_to(address: Osdp) -> Wire:
    """Return the line of *address*, not yet open."""
    if isinstance(address, OsdpSerial):
        return SerialWire(address.device, address.baud)
    return TcpWire(address.host, address.port)


class TcpWire(Wire):
    """A connection to ``host``, an IP address."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._peer = (host, port)
        self._socket: socket.socket | None = None
        self._connecting_until = 0.0

    @property
    def descriptor(self) -> int | None:
        """The descriptor to wait on."""
        return self._socket.fileno() if self._socket is not None and self.up else None

    def tick(self, now: float) -> None:
        """Open the line when that is due."""
        if self._socket is None:
            if now >= self._retry_at:
                self._retry_at = now + _RETRY
                self._connect(now)
        elif not self.up:
            self._settle(self._socket, now)

    def _connect(self, now: float) -> None:
        family = socket.AF_INET6 if ":" in self._peer[0] else socket.AF_INET
        try:
            connection = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            self._socket = connection
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED)
            code = connection.connect_ex(self._peer)
        except OSError as error:
            self._failed(_failure(error))
            return
        self._connecting_until = now + _CONNECTING
        if code not in (0, errno.EINPROGRESS):
            self._failed(_failure(OSError(code, os.strerror(code))))

    def _settle(self, connection: socket.socket, now: float) -> None:
        poll = select.poll()
        poll.register(connection, select.POLLOUT)
        if poll.poll(0):
            code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                self._failed(_failure(OSError(code, os.strerror(code))))
            else:
                self.fault = None
        elif now >= self._connecting_until:
            self._failed(_NO_ANSWER)

    def read(self) -> bytes:
        """Return the received bytes."""
        if self._socket is None or not self.up:
            return b""
        try:
            received = self._socket.recv(_MOST)
        except OSError as error:
            if error.errno not in _NOT_YET:
                self._failed(_failure(error))
            return b""
        if not received:
            self._failed(_ENDED)
        return received

    def write(self, received: bytes) -> int:
        """Send as many bytes as fit."""
        if self._socket is None or not self.up:
            return -1
        try:
            return self._socket.send(received)
        except OSError as error:
            if error.errno not in _NOT_YET:
                self._failed(_failure(error))
            return -1  # a full buffer too: the converter takes nothing any more

    def close(self) -> None:
        """Close the line."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self.fault = _OPENING


class SerialWire(Wire):
    """A serial port, eight bits, no parity, one stop bit, no flow control (IEC 60839-11-5 section 5.1)."""

    def __init__(self, device: str, baud: int) -> None:
        super().__init__()
        self._device = device
        self._speed: int = getattr(termios, f"B{baud}")
        self._port: int | None = None

    @property
    def descriptor(self) -> int | None:
        """The descriptor to wait on."""
        return self._port

    def tick(self, now: float) -> None:
        """Open the line when that is due."""
        if self._port is None and now >= self._retry_at:
            self._retry_at = now + _RETRY
            try:
                self._port = os.open(self._device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
                self._set_up(self._port)
            except (OSError, termios.error) as error:
                self._failed(_failure(error))

    def _set_up(self, port: int) -> None:
        fcntl.ioctl(port, termios.TIOCEXCL)
        tty.setraw(port, termios.TCSANOW)
        settings = termios.tcgetattr(port)
        settings[2] |= termios.CLOCAL | termios.CREAD
        settings[2] &= ~(termios.CSTOPB | termios.PARENB | termios.CRTSCTS)
        settings[4] = settings[5] = self._speed
        termios.tcsetattr(port, termios.TCSAFLUSH, settings)
        self.fault = None

    def read(self) -> bytes:
        """Return the received bytes."""
        if self._port is None:
            return b""
        try:
            received = os.read(self._port, _MOST)
        except OSError as error:
            if error.errno not in _NOT_YET:
                self._failed(_failure(error))
            return b""
        if not received and not _quiet(self._port):
            self._failed(_ENDED)
        return received

    def write(self, received: bytes) -> int:
        """Send as many bytes as fit."""
        if self._port is None:
            return -1
        try:
            return os.write(self._port, received)
        except OSError as error:
            if error.errno not in _NOT_YET:
                self._failed(_failure(error))
            return -1

    def close(self) -> None:
        """Close the line."""
        if self._port is not None:
            os.close(self._port)
        self._port = None
        self.fault = _OPENING


def _quiet(port: int) -> bool:
    """Return whether a port that returned no bytes is merely silent: a port that hung up returns none either."""
    poll = select.poll()
    poll.register(port, select.POLLIN)
    return not any(events & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, events in poll.poll(0))


def _failure(error: Exception) -> Message:
    reason = visible(getattr(error, "strerror", None) or str(error))
    return Message("doors.line-failed", error=reason)
