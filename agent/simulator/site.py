"""A site made of software: real OSDP readers and real UHPPOTE boards on loopback, each with people and cables to play.

Rules of this file: whoever serves these doors meets them over the wire alone and sees no difference. Loopback only:
these devices believe anybody.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from ipaddress import AddressValueError, IPv4Address
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta

from agent.doors.address import Address, OsdpSerial, OsdpTcp, Uhppote, parse
from agent.doors.codec import Message
from agent.doors.frames import Configure, KeyHex, Serial
from agent.doors.frames import DoorSetup as Planned
from agent.doors.messages import Name, Side
from agent.errors import RefusedError
from agent.simulator.doors import BoardDoor, OsdpDoor, SimulatedDoor
from agent.simulator.osdp_reader import ReaderLine, SoftwareReader
from agent.simulator.serial_port import PREFIX, Port, possible
from agent.simulator.uhppote_board import Board
from rules.text import Text
from rules.visible import visible

_LOOK = 0.01  # seconds between two looks at a reader

_LOOPBACK = Text(
    f"without hardware, give a door an address such as osdp+tcp://127.0.0.1:48611/1 or osdp+serial://{PREFIX}1#1: "
    "shoumi door set",
    f"若不接硬件试用，请为门设置如 osdp+tcp://127.0.0.1:48611/1 或 osdp+serial://{PREFIX}1#1 的地址：shoumi door set",
)

PortNumber = Annotated[int, Meta(ge=0, le=65535)]


class SimulatedReader(Message, frozen=True):
    """An OSDP reader. Readers of one ``line`` share a bus, which is a TCP port or, with ``pty``, a pseudo-terminal.

    ``device``: the serial port (:func:`agent.simulator.serial_port.possible`) that is to lead to that pseudo-terminal.
    ``key`` is ``None`` for a reader in install mode; ``wired``: lock, contact and button of the door hang on it.
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


class SimulatedBoard(Message, frozen=True):
    """A UHPPOTE board. ``doors``: place on the board, "1" to "4" → name."""

    serial: Serial
    doors: Annotated[Mapping[Literal["1", "2", "3", "4"], Name], Meta(min_length=1, max_length=4)]
    host: Annotated[str, Meta(min_length=1, max_length=40)] = "127.0.0.1"
    port: PortNumber = 0


class Description(Message, frozen=True):
    """Everything a simulator makes."""

    readers: Annotated[tuple[SimulatedReader, ...], Meta(max_length=200)] = ()
    boards: Annotated[tuple[SimulatedBoard, ...], Meta(max_length=200)] = ()


class LeftOut(NamedTuple):
    """A door that is not simulated, and why."""

    door: str
    why: Text


def described(asked: Configure) -> tuple[Description, tuple[LeftOut, ...]]:
    """Return the devices that a configuration of the agent expects, keys included; a reader without one is new.

    A door is left out as a whole when one of its devices is none that software can take the place of.
    """
    readers: list[SimulatedReader] = []
    boards: dict[int, tuple[Uhppote, dict[Any, str]]] = {}
    left_out: list[LeftOut] = []
    for door in asked.doors:
        devices = [(reader.side, parse(reader.address)) for reader in door.readers]
        if why := next(filter(None, map(_real, (parse(door.strike.address), *(at for _, at in devices)))), None):
            left_out.append(LeftOut(door.door, why))
            continue
        for side, at in devices:
            if isinstance(at, Uhppote):
                boards.setdefault(at.serial, (at, {}))[1][str(at.door)] = door.door
            else:
                readers.append(_reader(asked, door, side, at))
    made = (SimulatedBoard(serial, doors, at.host, at.port) for serial, (at, doors) in boards.items())
    return Description(tuple(readers), tuple(made)), tuple(left_out)


def _reader(asked: Configure, door: Planned, side: Side, at: OsdpTcp | OsdpSerial) -> SimulatedReader:
    key = next(iter(asked.keys.get(str(at), ())), None)
    wired = str(at) == door.strike.address
    if isinstance(at, OsdpSerial):
        return SimulatedReader(door.door, side, at.reader, key, wired, at.line, pty=True, device=at.device)
    return SimulatedReader(door.door, side, at.reader, key, wired, at.line, at.host, at.port)


def _real(at: Address) -> Text | None:
    """Return why software cannot take the place of a device, ``None`` when it can."""
    shown = visible(str(at))
    if isinstance(at, OsdpSerial):
        if possible(at.device):
            return None
        return Text(f"`{shown}` is a serial port of this host", f"`{shown}` 是本机串口")
    if _is_loopback(at.host):
        return None
    return Text(
        f"`{shown}` is on a network, and a simulator is on loopback", f"`{shown}` 在网络上，而模拟器只在回环地址"
    )


def none_left(left_out: Iterable[LeftOut]) -> RefusedError:
    """Return the error for a site of which no door can be simulated."""
    whys = [one.why for one in left_out]
    en, zh = "; ".join(why.en for why in whys[:3]), "；".join(why.zh for why in whys[:3])
    return RefusedError(Text(f"no door can be simulated: {en}", f"没有可以模拟的门：{zh}"), _LOOPBACK)


class SimulatedSite:
    """All of it, running. Belongs to one event loop."""

    def __init__(self, described: Description) -> None:
        self.doors: dict[str, SimulatedDoor] = {}
        self._boards: list[Board] = []
        self._lines: list[ReaderLine] = []
        self._ports: list[Port] = []
        with ExitStack() as made:
            made.callback(self._close_lines)
            try:
                for board in described.boards:
                    self._add_board(board)
                for on_line in _by_line(described.readers):
                    self._add_line(on_line)
            except OSError as error:
                said = visible(error.strerror or "")
                raise RefusedError(
                    Text(f"a simulated device cannot listen: {said}", f"模拟设备无法监听：{said}")
                ) from None
            made.pop_all()

    async def start(self) -> None:
        """Let every device answer. Raises :class:`RefusedError` when a port is taken."""
        for port in self._ports:
            port.make()
        for line in self._lines:
            line.start()
        for board in self._boards:
            try:
                await board.start()
            except OSError as error:
                said = visible(error.strerror or "")
                raise RefusedError(Text(f"`{board.line}`: {said}", f"`{board.line}`：{said}")) from None

    async def stop(self) -> None:
        """Let every device fall silent."""
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
        """Return what is seen at every door."""
        return {name: door.state() for name, door in self.doors.items()}

    async def opened(self, door: str, times: int, seconds: float) -> bool:
        """Wait until a door was opened so often since the start; return whether it was in time."""
        found = self.door(door)
        deadline = time.monotonic() + seconds
        while found.state()["opened"] < times:
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
        for one in described:
            reader = SoftwareReader(one.number, bytes.fromhex(one.key) if one.key else None)
            readers.append(reader)
            door = self.doors.get(one.door) or self._add(one.door, OsdpDoor())
            if not isinstance(door, OsdpDoor) or one.side in door.readers:
                raise _twice(one.door)
            door.readers[one.side] = reader
            if one.wired:
                door.wired = door.wired or reader
        line = ReaderLine(readers, serial=first.pty, host=_loopback(first.host), port=first.port)
        self._lines.append(line)
        if first.device:
            terminal = parse(readers[0].address)
            assert isinstance(terminal, OsdpSerial)
            self._ports.append(Port(first.device, terminal.device))
            line.where = f"{first.line}#"

    def _add(self, name: str, door: SimulatedDoor) -> SimulatedDoor:
        if name in self.doors:
            raise _twice(name)
        self.doors[name] = door
        return door


def no_door(name: str) -> RefusedError:
    """Return the error for a door the simulator has not got, perhaps because it was registered later."""
    return RefusedError(
        Text(f"the simulator has no door `{visible(name)}`", f"模拟器没有门 `{visible(name)}`"),
        Text(
            "it has the doors there were when it was started: shoumi door simulate --serve",
            "模拟器只有启动时已登记的门，请重新启动：shoumi door simulate --serve",
        ),
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
    shown = visible(host)
    raise RefusedError(
        Text(f"a simulator listens on loopback only, not at `{shown}`", f"模拟器只能监听回环地址，不能监听 `{shown}`"),
        _LOOPBACK,
    )


def _twice(door: str) -> RefusedError:
    return RefusedError(Text(f"`{visible(door)}` is described twice", f"`{visible(door)}` 重复描述"))
