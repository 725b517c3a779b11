"""Simulated site: OSDP readers and UHPPOTE boards on loopback, with simulated people and cables.

Rules of this file: the agent reaches these doors over the wire alone and sees no difference from hardware. Loopback
only: these devices trust every sender.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from ipaddress import AddressValueError, IPv4Address
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta

from agent.doors.address import Address, OsdpSerial, OsdpTcp, Uhppote, parse
from agent.doors.codec import WireStruct
from agent.doors.frames import Configure, KeyHex, Serial
from agent.doors.frames import DoorSetup as Planned
from agent.doors.messages import Name, Side
from agent.errors import RefusedError
from agent.simulator.doors import BoardDoor, OsdpDoor, SimulatedDoor
from agent.simulator.osdp_reader import ReaderLine, SoftwareReader
from agent.simulator.serial_port import PREFIX, Port, possible
from agent.simulator.uhppote_board import Board
from rules.text import Message, Sentence, series
from rules.visible import visible

_LOOK = 0.01  # seconds between two checks of a reader

_LOOPBACK = Message("simulator.use-loopback-address", prefix=PREFIX)

PortNumber = Annotated[int, Meta(ge=0, le=65535)]


class SimulatedReader(WireStruct, frozen=True):
    """An OSDP reader. Readers of one ``line`` share a bus, which is a TCP port or, with ``pty``, a pseudo-terminal.

    ``device``: the serial port (:func:`agent.simulator.serial_port.possible`) that links to that pseudo-terminal.
    ``key`` is ``None`` for a reader in install mode; ``wired``: lock, contact and button of the door are wired to it.
    """

    door: Name
    side: Side
    number: Annotated[int, Meta(ge=0, le=126)] = 1
    key: KeyHex | None = None
    wired: bool = True
    line: Annotated[str, Meta(max_length=100)] = ""
    host: Annotated[str, Meta(min_length=1, max_length=40)] = "127.0.0.1"
    port: PortNumber = 0
    pty: bool = False
    device: Annotated[str, Meta(max_length=100)] = ""


class SimulatedBoard(WireStruct, frozen=True):
    """A UHPPOTE board. ``doors``: place on the board, "1" to "4" → name."""

    serial: Serial
    doors: Annotated[Mapping[Literal["1", "2", "3", "4"], Name], Meta(min_length=1, max_length=4)]
    host: Annotated[str, Meta(min_length=1, max_length=40)] = "127.0.0.1"
    port: PortNumber = 0


class Description(WireStruct, frozen=True):
    """The devices of a simulator."""

    readers: Annotated[tuple[SimulatedReader, ...], Meta(max_length=200)] = ()
    boards: Annotated[tuple[SimulatedBoard, ...], Meta(max_length=200)] = ()


class LeftOut(NamedTuple):
    """A door that is not simulated, and why."""

    door: str
    why: Sentence


def described(configuration: Configure) -> tuple[Description, tuple[LeftOut, ...]]:
    """Return the devices that a configuration of the agent expects, keys included; a reader without one is new.

    A door is left out as a whole when one of its devices cannot be simulated.
    """
    readers: list[SimulatedReader] = []
    boards: dict[int, tuple[Uhppote, dict[Any, str]]] = {}
    left_out: list[LeftOut] = []
    for door in configuration.doors:
        devices = [(reader.side, parse(reader.address)) for reader in door.readers]
        reasons = [reason for at in (parse(door.strike.address), *(at for _, at in devices)) if (reason := _real(at))]
        if reasons:
            left_out.append(LeftOut(door.door, reasons[0]))
            continue
        for side, at in devices:
            if isinstance(at, Uhppote):
                boards.setdefault(at.serial, (at, {}))[1][str(at.door)] = door.door
            else:
                readers.append(_reader(configuration, door, side, at))
    simulated_boards = (SimulatedBoard(serial, doors, at.host, at.port) for serial, (at, doors) in boards.items())
    return Description(tuple(readers), tuple(simulated_boards)), tuple(left_out)


def _reader(configuration: Configure, door: Planned, side: Side, at: OsdpTcp | OsdpSerial) -> SimulatedReader:
    key = next(iter(configuration.keys.get(str(at), ())), None)
    wired = str(at) == door.strike.address
    if isinstance(at, OsdpSerial):
        return SimulatedReader(door.door, side, at.reader, key, wired, at.line, pty=True, device=at.device)
    return SimulatedReader(door.door, side, at.reader, key, wired, at.line, at.host, at.port)


def _real(at: Address) -> Sentence | None:
    """Return the reason a device cannot be simulated, ``None`` when it can."""
    address = visible(str(at))
    if isinstance(at, OsdpSerial):
        if possible(at.device):
            return None
        return Message("simulator.hardware-serial-port", address=address)
    if _is_loopback(at.host):
        return None
    return Message("simulator.address-not-loopback", address=address)


def none_left(left_out: Iterable[LeftOut]) -> RefusedError:
    """Return the error for a site of which no door can be simulated."""
    reasons = series([door.why for door in left_out][:3])
    return RefusedError(Message("simulator.no-door-can-be-simulated", reasons=reasons), _LOOPBACK)


class SimulatedSite:
    """The running devices. Belongs to one event loop."""

    def __init__(self, described: Description) -> None:
        self.doors: dict[str, SimulatedDoor] = {}
        self._boards: list[Board] = []
        self._lines: list[ReaderLine] = []
        self._ports: list[Port] = []
        with ExitStack() as cleanup:
            cleanup.callback(self._close_lines)
            try:
                for board in described.boards:
                    self._add_board(board)
                for on_line in _by_line(described.readers):
                    self._add_line(on_line)
            except OSError as error:
                error_text = visible(error.strerror or "")
                raise RefusedError(Message("simulator.device-cannot-listen", error=error_text)) from None
            cleanup.pop_all()

    async def start(self) -> None:
        """Start every device. Raises :class:`RefusedError` when a port is in use."""
        for port in self._ports:
            port.make()
        for line in self._lines:
            line.start()
        for board in self._boards:
            try:
                await board.start()
            except OSError as error:
                error_text = visible(error.strerror or "")
                raise RefusedError(Message("common.named", name=board.line, text=error_text)) from None

    async def stop(self) -> None:
        """Stop every device."""
        for port in self._ports:
            port.remove()
        for board in self._boards:
            await board.stop()
        await asyncio.to_thread(self._close_lines)

    def door(self, name: str) -> SimulatedDoor:
        """Return a door. Raises :class:`RefusedError`."""
        if name not in self.doors:
            raise no_door(name)
        return self.doors[name]

    def state(self) -> dict[str, Any]:
        """Return the visible state of every door."""
        return {name: door.state() for name, door in self.doors.items()}

    async def opened(self, door: str, times: int, seconds: float) -> bool:
        """Wait until a door was opened *times* since the start; return whether that happened in time."""
        simulated = self.door(door)
        deadline = time.monotonic() + seconds
        while simulated.state()["opened"] < times:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_LOOK)  # readers live in threads of their own
        return True

    def _close_lines(self) -> None:
        for line in self._lines:
            line.stop()

    def _add_board(self, described: SimulatedBoard) -> None:
        board = Board(described.serial, _loopback(described.host), described.port)
        self._boards.append(board)
        for place, name in described.doors.items():
            self._add(name, BoardDoor(board, int(place)))

    def _add_line(self, described: list[SimulatedReader]) -> None:
        first = described[0]
        readers = []
        for setup in described:
            reader = SoftwareReader(setup.number, bytes.fromhex(setup.key) if setup.key else None)
            readers.append(reader)
            door = self.doors.get(setup.door) or self._add(setup.door, OsdpDoor())
            if not isinstance(door, OsdpDoor) or setup.side in door.readers:
                raise _twice(setup.door)
            door.readers[setup.side] = reader
            if setup.wired:
                door.wired = door.wired or reader
        line = ReaderLine(readers, serial=first.pty, host=_loopback(first.host), port=first.port)
        self._lines.append(line)
        if first.device:
            terminal = parse(readers[0].address)
            assert isinstance(terminal, OsdpSerial)
            self._ports.append(Port(first.device, terminal.device))
            line.address_prefix = f"{first.line}#"

    def _add(self, name: str, door: SimulatedDoor) -> SimulatedDoor:
        if name in self.doors:
            raise _twice(name)
        self.doors[name] = door
        return door


def no_door(name: str) -> RefusedError:
    """Return the error for a door the simulator does not have, perhaps because it was registered later."""
    return RefusedError(
        Message("simulator.door-not-found", door=name),
        Message("simulator.restart-for-new-doors"),
    )


def _by_line(readers: Iterable[SimulatedReader]) -> Iterable[list[SimulatedReader]]:
    lines: dict[str, list[SimulatedReader]] = {}
    for number, reader in enumerate(readers):
        lines.setdefault(reader.line or f"#{number}", []).append(reader)
    return lines.values()


def _is_loopback(host: str) -> bool:
    try:
        return IPv4Address(host).is_loopback
    except AddressValueError:
        return False


def _loopback(host: str) -> str:
    if _is_loopback(host):
        return host
    given_host = visible(host)
    raise RefusedError(
        Message("simulator.host-not-loopback", host=given_host),
        _LOOPBACK,
    )


def _twice(door: str) -> RefusedError:
    return RefusedError(Message("simulator.door-duplicate", door=door))
