"""A site made of software: real OSDP readers and real UHPPOTE boards on loopback, each with people and cables to play.

Rules of this file: whoever serves these doors meets them over the wire alone and sees no difference. Loopback only:
these devices believe anybody.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Annotated, Any, Literal

from agent.doors.address import OsdpTcp, Uhppote, parse
from agent.doors.frames import Configure, KeyHex, Serial
from agent.doors.osdp_reader import Reader, ReaderLine
from agent.doors.simulator_doors import BoardDoor, Door, OsdpDoor
from agent.doors.strict import Within
from agent.doors.uhppote_board import Board
from agent.doors.words import Name, Side
from agent.errors import Refused
from rules.text import Text
from rules.visible import visible

_LOOK = 0.01  # seconds between two looks at a reader

_LOOPBACK = Text(
    "to try it without hardware, give every door an address such as osdp+tcp://127.0.0.1:48611/1: shoumi door set",
    "若不接硬件试用，请为每扇门设置如 osdp+tcp://127.0.0.1:48611/1 的地址：shoumi door set",
)

Port = Annotated[int, Within(0, 65535)]


@dataclass(frozen=True, slots=True)
class SimulatedReader:
    """An OSDP reader. Readers of one ``line`` share a bus, which is a TCP port or, with ``pty``, a pseudo-terminal.

    ``key`` is ``None`` for a reader in install mode; ``wired``: lock, contact and button of the door hang on it.
    """

    door: Name
    side: Side
    number: Annotated[int, Within(0, 126)] = 1
    key: KeyHex | None = None
    wired: bool = True
    line: Annotated[str, Within(0, 100)] = ""
    host: Annotated[str, Within(1, 40)] = "127.0.0.1"
    port: Port = 0
    pty: bool = False


@dataclass(frozen=True, slots=True)
class SimulatedBoard:
    """A UHPPOTE board. ``doors``: place on the board, "1" to "4" → name."""

    serial: Serial
    doors: Annotated[Mapping[Literal["1", "2", "3", "4"], Name], Within(1, 4)]
    host: Annotated[str, Within(1, 40)] = "127.0.0.1"
    port: Port = 0


@dataclass(frozen=True, slots=True)
class Description:
    """Everything a simulator makes."""

    readers: Annotated[tuple[SimulatedReader, ...], Within(0, 200)] = ()
    boards: Annotated[tuple[SimulatedBoard, ...], Within(0, 200)] = ()


def described(asked: Configure) -> Description:
    """Return the devices that a configuration of the agent expects, keys included; a reader without one is new.

    Raises :class:`Refused` for a serial port, which no software can take the place of.
    """
    readers: list[SimulatedReader] = []
    boards: dict[int, tuple[Uhppote, dict[Any, str]]] = {}
    for door in asked.doors:
        for reader in door.readers:
            at = parse(reader.address)
            if isinstance(at, Uhppote):
                boards.setdefault(at.serial, (at, {}))[1][str(at.door)] = door.door
            elif isinstance(at, OsdpTcp):
                key = next(iter(asked.keys.get(str(at), ())), None)
                wired = str(at) == door.strike.address
                one = SimulatedReader(door.door, reader.side, at.reader, key, wired, at.line, at.host, at.port)
                readers.append(one)
            else:
                shown = visible(str(at))
                raise Refused(Text(f"`{shown}` is a serial port of this host", f"`{shown}` 是本机串口"), _LOOPBACK)
    made = (SimulatedBoard(serial, doors, at.host, at.port) for serial, (at, doors) in boards.items())
    return Description(tuple(readers), tuple(made))


class Site:
    """All of it, running. Belongs to one event loop."""

    def __init__(self, described: Description) -> None:
        self.doors: dict[str, Door] = {}
        self._boards: list[Board] = []
        self._lines: list[ReaderLine] = []
        try:
            for board in described.boards:
                self._add_board(board)
            for on_line in _by_line(described.readers):
                self._add_line(on_line)
        except OSError as error:
            said = visible(error.strerror or "")
            raise Refused(Text(f"a simulated device cannot listen: {said}", f"模拟设备无法监听：{said}")) from None

    async def start(self) -> None:
        """Let every device answer. Raises :class:`Refused` when a port is taken."""
        for line in self._lines:
            line.start()
        for board in self._boards:
            try:
                await board.start()
            except OSError as error:
                said = visible(error.strerror or "")
                raise Refused(Text(f"`{board.line}`: {said}", f"`{board.line}`：{said}")) from None

    async def stop(self) -> None:
        """Let every device fall silent."""
        for board in self._boards:
            await board.stop()
        for line in self._lines:
            await asyncio.to_thread(line.stop)

    def door(self, name: str) -> Door:
        """Return a door. Raises :class:`Refused`."""
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

    def _add_board(self, described: SimulatedBoard) -> None:
        board = Board(described.serial, _loopback(described.host), described.port)
        self._boards.append(board)
        for place, name in described.doors.items():
            self._add(name, BoardDoor(board, int(place)))

    def _add_line(self, described: list[SimulatedReader]) -> None:
        first = described[0]
        readers = []
        for one in described:
            reader = Reader(one.number, bytes.fromhex(one.key) if one.key else None)
            readers.append(reader)
            door = self.doors.get(one.door) or self._add(one.door, OsdpDoor())
            if not isinstance(door, OsdpDoor) or one.side in door.readers:
                raise _twice(one.door)
            door.readers[one.side] = reader
            if one.wired:
                door.wired = door.wired or reader
        self._lines.append(ReaderLine(readers, serial=first.pty, host=_loopback(first.host), port=first.port))

    def _add(self, name: str, door: Door) -> Door:
        if name in self.doors:
            raise _twice(name)
        self.doors[name] = door
        return door


def no_door(name: str) -> Refused:
    """Return the error for a door the simulator has not got, perhaps because it was registered later."""
    return Refused(
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


def _loopback(host: str) -> str:
    try:
        if IPv4Address(host).is_loopback:
            return host
    except AddressValueError:
        pass
    shown = visible(host)
    raise Refused(
        Text(f"a simulator listens on loopback only, not at `{shown}`", f"模拟器只能监听回环地址，不能监听 `{shown}`"),
        _LOOPBACK,
    )


def _twice(door: str) -> Refused:
    return Refused(Text(f"`{visible(door)}` is described twice", f"`{visible(door)}` 重复描述"))
