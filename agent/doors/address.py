"""Addresses of readers, locks and boards, each one string; the only module that parses them.

    osdp+tcp://HOST:PORT/READER                    a serial-to-network converter and the reader's OSDP address on it
    osdp+serial:///dev/ttyS0?baud=9600#READER      a serial line and the reader's OSDP address on it
    uhppote://HOST:PORT/SERIAL/DOOR                a board, its serial number and one of its doors

Rules of this file: pure. A host is an IP address and never a name, because a door must neither depend on a name server
nor trust one. An address has one spelling: ``str`` returns what :func:`parse` accepted, except for the default baud
rate. OSDP addresses are 0 to 126, 127 is the broadcast (IEC 60839-11-5 section 5.3).
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from agent.errors import UsageError
from rules.text import Message

LONGEST = 200  # characters
BAUD_RATES = (9600, 19200, 38400, 57600, 115200, 230400)  # the rates OSDP names
DEFAULT_BAUD = 9600

_TCP = re.compile(r"osdp\+tcp://(\[[0-9A-Fa-f:.]+\]|[0-9.]+):([0-9]{1,5})/([0-9]{1,3})")
_SERIAL = re.compile(r"osdp\+serial://(/dev/[A-Za-z0-9_.:+/-]+)(?:\?baud=([1-9][0-9]{0,5}))?#([0-9]{1,3})")
_BOARD = re.compile(r"uhppote://([0-9.]+):([0-9]{1,5})/([0-9]{1,10})/([1-4])")


@dataclass(frozen=True, slots=True)
class OsdpTcp:
    """An OSDP reader behind a converter. ``host`` is an IP address, ``reader`` the OSDP address 0 to 126."""

    host: str
    port: int
    reader: int

    @property
    def line(self) -> str:
        """The address without the reader: common to the readers of one bus."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"osdp+tcp://{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.line}/{self.reader}"


@dataclass(frozen=True, slots=True)
class OsdpSerial:
    """An OSDP reader on a serial line. ``baud`` in bits a second, ``reader`` the OSDP address 0 to 126."""

    device: str
    baud: int
    reader: int

    @property
    def line(self) -> str:
        """The address without the reader: common to the readers of one bus."""
        return f"osdp+serial://{self.device}?baud={self.baud}"

    def __str__(self) -> str:
        return f"{self.line}#{self.reader}"


@dataclass(frozen=True, slots=True)
class Uhppote:
    """One door (1 to 4) of a board. ``host`` is an IPv4 address, ``serial`` the number printed on the board."""

    host: str
    port: int
    serial: int
    door: int

    @property
    def line(self) -> str:
        """The address without the door: common to the doors of one board."""
        return f"uhppote://{self.host}:{self.port}/{self.serial}"

    def __str__(self) -> str:
        return f"{self.line}/{self.door}"


Osdp = OsdpTcp | OsdpSerial
Address = Osdp | Uhppote


def parse(text: str) -> Address:
    """Return the parsed address. Raises :class:`UsageError` with the reason."""
    if len(text) > LONGEST:
        raise _wrong(text[:40] + "…", Message("doors.address-too-long"))
    if match := _TCP.fullmatch(text):
        return OsdpTcp(_host(text, match[1]), _port(text, match[2]), _reader(text, match[3]))
    if match := _SERIAL.fullmatch(text):
        if ".." in match[1] or "//" in match[1]:
            raise _wrong(text, Message("doors.device-path-invalid"))
        baud = int(match[2] or DEFAULT_BAUD)
        if baud not in BAUD_RATES:
            rates = ", ".join(str(rate) for rate in BAUD_RATES)
            raise _wrong(text, Message("doors.baud-rate-unsupported", rates=rates))
        return OsdpSerial(match[1], baud, _reader(text, match[3]))
    if match := _BOARD.fullmatch(text):
        serial = int(match[3])
        if not 0 < serial < 2**32 or match[3].startswith("0"):
            raise _wrong(text, Message("doors.board-serial-invalid"))
        return Uhppote(_host(text, match[1]), _port(text, match[2]), serial, int(match[4]))
    raise _wrong(text, Message("doors.address-format-unknown"))


def _host(text: str, host: str) -> str:
    try:
        ip = IPv6Address(host[1:-1]) if host.startswith("[") else IPv4Address(host)
    except AddressValueError:
        raise _wrong(text, Message("doors.host-not-ip-address")) from None
    if ip.is_unspecified or ip.is_multicast or str(ip) == "255.255.255.255":
        raise _wrong(text, Message("doors.host-not-single-device"))
    return str(ip)


def _port(text: str, port: str) -> int:
    if not 0 < int(port) < 65536 or port.startswith("0"):
        raise _wrong(text, Message("doors.port-out-of-range"))
    return int(port)


def _reader(text: str, reader: str) -> int:
    if int(reader) > 126 or str(int(reader)) != reader:
        raise _wrong(text, Message("doors.osdp-address-out-of-range"))
    return int(reader)


def _wrong(address: str, reason: Message) -> UsageError:
    return UsageError(
        Message("doors.address-invalid", address=address, reason=reason),
        Message("doors.address-examples"),
    )
