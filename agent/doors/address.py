"""Where a reader, a lock or a board is, as one string; the only place that reads such strings.

    osdp+tcp://HOST:PORT/READER                    a serial-to-network converter and the reader's OSDP address on it
    osdp+serial:///dev/ttyS0?baud=9600#READER      a serial line and the reader's OSDP address on it
    uhppote://HOST:PORT/SERIAL/DOOR                a board, its serial number and one of its doors

Rules of this file: pure. A host is an address and never a name, because a door must not depend on a name server, nor
obey one. There is one way to write an address: what :func:`parse` accepts, ``str`` gives back, except for the default
baud rate. OSDP addresses are 0 to 126, 127 is the broadcast (IEC 60839-11-5 section 5.3).
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from agent.errors import UsageError
from rules.text import Text
from rules.visible import visible

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
        """What readers of one bus share."""
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
        """What readers of one bus share."""
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
        """What doors of one board share."""
        return f"uhppote://{self.host}:{self.port}/{self.serial}"

    def __str__(self) -> str:
        return f"{self.line}/{self.door}"


Osdp = OsdpTcp | OsdpSerial
Address = Osdp | Uhppote


def parse(text: str) -> Address:
    """Read an address; raise :class:`UsageError` with what is wrong with it."""
    if len(text) > LONGEST:
        raise _wrong(text[:40] + "…", "it is too long", "过长")
    if found := _TCP.fullmatch(text):
        return OsdpTcp(_host(text, found[1]), _port(text, found[2]), _reader(text, found[3]))
    if found := _SERIAL.fullmatch(text):
        if ".." in found[1] or "//" in found[1]:
            raise _wrong(text, "the device is not a plain path", "设备路径不规范")
        baud = int(found[2] or DEFAULT_BAUD)
        if baud not in BAUD_RATES:
            rates = ", ".join(str(rate) for rate in BAUD_RATES)
            raise _wrong(text, f"the baud rate is one of {rates}", f"波特率应为 {rates} 之一")
        return OsdpSerial(found[1], baud, _reader(text, found[3]))
    if found := _BOARD.fullmatch(text):
        serial = int(found[3])
        if not 0 < serial < 2**32 or found[3].startswith("0"):
            raise _wrong(text, "the serial number is that of no board", "序列号无效")
        return Uhppote(_host(text, found[1]), _port(text, found[2]), serial, int(found[4]))
    raise _wrong(text, "it is none of the known forms", "不属于已知格式")


def _host(text: str, host: str) -> str:
    try:
        found = IPv6Address(host[1:-1]) if host.startswith("[") else IPv4Address(host)
    except AddressValueError:
        raise _wrong(text, "the host is not an IP address", "主机不是 IP 地址") from None
    if found.is_unspecified or found.is_multicast or str(found) == "255.255.255.255":
        raise _wrong(text, "the host is not the address of one device", "主机不是单个设备的地址")
    return str(found)


def _port(text: str, port: str) -> int:
    if not 0 < int(port) < 65536 or port.startswith("0"):
        raise _wrong(text, "the port is not between 1 and 65535", "端口不在 1 到 65535 之间")
    return int(port)


def _reader(text: str, reader: str) -> int:
    if int(reader) > 126 or str(int(reader)) != reader:
        raise _wrong(text, "an OSDP address is between 0 and 126", "OSDP 地址应在 0 到 126 之间")
    return int(reader)


def _wrong(text: str, en: str, zh: str) -> UsageError:
    shown = visible(text)
    return UsageError(
        Text(f"`{shown}` is not the address of a door device: {en}", f"`{shown}` 不是门禁设备地址：{zh}"),
        Text(
            "write `osdp+tcp://10.9.0.20:4001/1`, `osdp+serial:///dev/ttyS0?baud=9600#1` "
            "or `uhppote://10.9.0.10:60000/405419896/1`",
            "可写为 `osdp+tcp://10.9.0.20:4001/1`、`osdp+serial:///dev/ttyS0?baud=9600#1` "
            "或 `uhppote://10.9.0.10:60000/405419896/1`",
        ),
    )
