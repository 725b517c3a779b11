"""Lines to readers: TCP to a serial-to-network converter, and a serial port.

Rules of this file: nothing waits, and :meth:`Wire.read` and :meth:`Wire.write` raise nothing: a line that fails is
down, says why, and is tried again every second. A serial port is ours alone (``TIOCEXCL``). What comes is
bytes of strangers: nothing here looks at them.
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
from rules.text import Text
from rules.visible import visible

_AGAIN: Final = 1.0  # seconds between two attempts
_CONNECTING: Final = 5.0
_UNACKNOWLEDGED: Final = 5_000  # milliseconds: TCP_USER_TIMEOUT, tcp(7)
_MOST: Final = 4096
_NOT_YET: Final = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR)

_OPENING = Text("the line is being opened", "线路正在连接")
_ENDED = Text("the other end closed the line", "对端关闭了线路")
_NO_ANSWER = Text("no connection within five seconds", "五秒内未能建立连接")


class Wire(ABC):
    """One line. ``why`` says what is wrong while it is not up. For one thread."""

    def __init__(self) -> None:
        self.why: Text | None = _OPENING
        self._again = 0.0

    @property
    def up(self) -> bool:
        """Whether bytes can cross."""
        return self.why is None

    @property
    @abstractmethod
    def descriptor(self) -> int | None:
        """What to wait on for something to read, ``None`` while the line is not up."""

    @abstractmethod
    def tick(self, now: float) -> None:
        """Open the line again when it is time to. *now*: seconds of a steady clock."""

    @abstractmethod
    def read(self) -> bytes:
        """Return what has come, nothing when nothing has."""

    @abstractmethod
    def write(self, data: bytes) -> int:
        """Send; return how many bytes went, -1 when the line is down."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the line. :meth:`tick` would open it again."""

    def _failed(self, why: Text) -> None:
        self.close()
        self.why = why


def wire_to(address: Osdp) -> Wire:
    """Return the line *address* is on, not yet open."""
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
        """What to wait on."""
        return self._socket.fileno() if self._socket is not None and self.up else None

    def tick(self, now: float) -> None:
        """Open the line when it is time to."""
        if self._socket is None:
            if now >= self._again:
                self._again = now + _AGAIN
                self._connect(now)
        elif not self.up:
            self._settle(self._socket, now)

    def _connect(self, now: float) -> None:
        family = socket.AF_INET6 if ":" in self._peer[0] else socket.AF_INET
        try:
            made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            self._socket = made
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED)
            code = made.connect_ex(self._peer)
        except OSError as error:
            self._failed(_said(error))
            return
        self._connecting_until = now + _CONNECTING
        if code not in (0, errno.EINPROGRESS):
            self._failed(_said(OSError(code, os.strerror(code))))

    def _settle(self, made: socket.socket, now: float) -> None:
        poll = select.poll()
        poll.register(made, select.POLLOUT)
        if poll.poll(0):
            code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                self._failed(_said(OSError(code, os.strerror(code))))
            else:
                self.why = None
        elif now >= self._connecting_until:
            self._failed(_NO_ANSWER)

    def read(self) -> bytes:
        """Return what has come."""
        if self._socket is None or not self.up:
            return b""
        try:
            data = self._socket.recv(_MOST)
        except OSError as error:
            if error.errno not in _NOT_YET:
                self._failed(_said(error))
            return b""
        if not data:
            self._failed(_ENDED)
        return data

    def write(self, data: bytes) -> int:
        """Send what fits."""
        if self._socket is None or not self.up:
            return -1
        try:
            return self._socket.send(data)
        except OSError as error:
            if error.errno not in _NOT_YET:
                self._failed(_said(error))
            return -1  # a full buffer too: the converter takes nothing any more

    def close(self) -> None:
        """Let go of it."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self.why = _OPENING


class SerialWire(Wire):
    """A serial port, eight bits, no parity, one stop bit, no flow control (IEC 60839-11-5 section 5.1)."""

    def __init__(self, device: str, baud: int) -> None:
        super().__init__()
        self._device = device
        self._speed: int = getattr(termios, f"B{baud}")
        self._port: int | None = None

    @property
    def descriptor(self) -> int | None:
        """What to wait on."""
        return self._port

    def tick(self, now: float) -> None:
        """Open the line when it is time to."""
        if self._port is None and now >= self._again:
            self._again = now + _AGAIN
            try:
                self._port = os.open(self._device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
                self._set_up(self._port)
            except (OSError, termios.error) as error:
                self._failed(_said(error))

    def _set_up(self, port: int) -> None:
        fcntl.ioctl(port, termios.TIOCEXCL)
        tty.setraw(port, termios.TCSANOW)
        settings = termios.tcgetattr(port)
        settings[2] |= termios.CLOCAL | termios.CREAD
        settings[2] &= ~(termios.CSTOPB | termios.PARENB | termios.CRTSCTS)
        settings[4] = settings[5] = self._speed
        termios.tcsetattr(port, termios.TCSAFLUSH, settings)
        self.why = None

    def read(self) -> bytes:
        """Return what has come."""
        if self._port is None:
            return b""
        try:
            data = os.read(self._port, _MOST)
        except OSError as error:
            if error.errno not in _NOT_YET:
                self._failed(_said(error))
            return b""
        if not data and not _quiet(self._port):
            self._failed(_ENDED)
        return data

    def write(self, data: bytes) -> int:
        """Send what fits."""
        if self._port is None:
            return -1
        try:
            return os.write(self._port, data)
        except OSError as error:
            if error.errno not in _NOT_YET:
                self._failed(_said(error))
            return -1

    def close(self) -> None:
        """Let go of it."""
        if self._port is not None:
            os.close(self._port)
        self._port = None
        self.why = _OPENING


def _quiet(port: int) -> bool:
    """Return whether a port that gave nothing is merely silent: one that hung up reads as nothing as well."""
    poll = select.poll()
    poll.register(port, select.POLLIN)
    return not any(events & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, events in poll.poll(0))


def _said(error: Exception) -> Text:
    why = visible(getattr(error, "strerror", None) or str(error))
    return Text(f"the line does not open or broke: {why}", f"线路无法打开或已中断：{why}")
