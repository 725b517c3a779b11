"""Listener for event notifications of boards: one UDP port on one address, whose packets are only hints.

Rules of this file: a packet is accepted when it is a status packet of a board of this site and comes from that board's
address. That stops mistakes, not attackers: both can be forged, so only "fetch event N" is taken from it. Rejected
packets are counted. A packet of a flood costs a check of its first bytes, and no memory.
"""

import asyncio
import math
import struct
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address

from agent.errors import RefusedError
from rules.text import Message
from rules.visible import visible

SECONDS = 60.0  # between two reports of rejected packets
_LENGTH = 64
_STATUS = 0x20
_FIRST = (0x17, 0x19)  # 0x19: events of firmware 6.62

Hint = Callable[[int, int], None]  # serial number, index


class Listener(asyncio.DatagramProtocol):
    """The port. *boards*: serial number → IP address of every board. *strange* gets the count of rejected packets."""

    def __init__(self, hint: Hint, strange: Callable[[int], None]) -> None:
        self.boards: dict[int, str] = {}
        self._hint = hint
        self._strange = strange
        self._strays = 0
        self._reported_at = -math.inf
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self, address: str) -> tuple[str, int]:
        """Listen at ``IPv4:PORT``; return host and port. Raises :class:`RefusedError` when that is impossible."""
        host, port = _local(address)
        try:
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: self, local_addr=(host, port)
            )
        except OSError as error:
            error_text = visible(error.strerror or "")
            raise RefusedError(Message("doors.listen-failed", address=address, error=error_text)) from None
        self._transport = transport
        return host, int(transport.get_extra_info("sockname")[1])

    def stop(self) -> None:
        """Close the port."""
        if self._transport:
            self._transport.close()
            self._transport = None

    def datagram_received(self, packet: bytes, addr: tuple[str, int]) -> None:
        """Handle a packet."""
        if len(packet) == _LENGTH and packet[0] in _FIRST and packet[1] == _STATUS:
            serial, index = struct.unpack_from("<II", packet, 4)
            if self.boards.get(serial) == addr[0]:
                self._hint(serial, index)
                return
        self._strays += 1
        now = asyncio.get_running_loop().time()
        if now - self._reported_at >= SECONDS:
            self._strange(self._strays)
            self._strays, self._reported_at = 0, now

    def error_received(self, exc: Exception) -> None:
        """Ignore network errors: nothing is sent from this port."""


def _local(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    try:
        ip = IPv4Address(host)
    except AddressValueError:
        ip = IPv4Address(0)
    if ip.is_unspecified or ip.is_multicast or not port.isdecimal() or int(port) > 65535:
        listen_address = visible(address)
        raise RefusedError(
            Message("doors.listen-address-invalid", address=listen_address),
            Message("doors.give-listen-address"),
        )
    return str(ip), int(port)
