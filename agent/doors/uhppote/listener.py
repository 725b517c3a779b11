"""Where boards say that something happened: one UDP port on one address, whose packets are hints and nothing more.

Rules of this file: a packet counts when it is a status packet of a board this site has and comes from that board's
address. That stops mistakes, not attackers: both can be forged, which is why only "look at event N" is taken from
it. What does not count is counted. A flood costs one look at its first bytes each, and never more memory.
"""

import asyncio
import math
import struct
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address

from agent.errors import RefusedError
from rules.text import Text
from rules.visible import visible

SECONDS = 60.0  # between two words about strange packets
_LENGTH = 64
_STATUS = 0x20
_FIRST = (0x17, 0x19)  # 0x19: events of firmware 6.62

Hint = Callable[[int, int], None]  # serial number, index


class Listener(asyncio.DatagramProtocol):
    """*boards*: serial number → IP address of every board. *strange* gets the number of packets that did not count."""

    def __init__(self, hint: Hint, strange: Callable[[int], None]) -> None:
        self.boards: dict[int, str] = {}
        self._hint = hint
        self._strange = strange
        self._strays = 0
        self._told = -math.inf
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self, address: str) -> tuple[str, int]:
        """Listen at ``IPv4:PORT``; return where. Raises :class:`RefusedError` when that is not possible here."""
        host, port = _local(address)
        try:
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: self, local_addr=(host, port)
            )
        except OSError as error:
            said = visible(error.strerror or "")
            raise RefusedError(
                Text(f"cannot listen at `{visible(address)}`: {said}", f"无法监听 `{visible(address)}`：{said}")
            ) from None
        self._transport = transport
        return host, int(transport.get_extra_info("sockname")[1])

    def stop(self) -> None:
        """Close the port."""
        if self._transport:
            self._transport.close()
            self._transport = None

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take a hint."""
        if len(data) == _LENGTH and data[0] in _FIRST and data[1] == _STATUS:
            serial, index = struct.unpack_from("<II", data, 4)
            if self.boards.get(serial) == addr[0]:
                self._hint(serial, index)
                return
        self._strays += 1
        now = asyncio.get_running_loop().time()
        if now - self._told >= SECONDS:
            self._strange(self._strays)
            self._strays, self._told = 0, now

    def error_received(self, exc: Exception) -> None:
        """Ignore what the network says about packets we never send from here."""


def _local(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    try:
        found = IPv4Address(host)
    except AddressValueError:
        found = IPv4Address(0)
    if found.is_unspecified or found.is_multicast or not port.isdecimal() or int(port) > 65535:
        shown = visible(address)
        raise RefusedError(
            Text(f"`{shown}` is not one address to listen at", f"`{shown}` 不是一个可监听的地址"),
            Text(
                "name the address of this machine on the boards' network, such as `10.9.0.2:60001`",
                "请写本机在控制器网段上的地址，例如 `10.9.0.2:60001`",
            ),
        )
    return str(found), int(port)
