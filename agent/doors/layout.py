"""Layout of the doors: the readers, boards and locks of a configuration, and the door each belongs to.

Rules of this file: pure. A door that cannot be served as configured is left out with a reported reason and affects no
other door; nothing is guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agent.doors.address import Address, Uhppote, parse
from agent.doors.frames import Configure, DoorSetup, Trouble
from agent.doors.messages import Side
from agent.doors.osdp.plan import ReaderPlan, by_line
from agent.doors.uhppote.boards import BoardPlan
from agent.doors.uhppote.events import DoorBinding
from agent.errors import RefusedError, ShoumiError
from rules.text import Message
from rules.visible import visible

_LONGEST_OSDP = 25.5  # seconds: an output's timer has eight bits of 100 ms


@dataclass(frozen=True, slots=True)
class Lock:
    """The device output that unlocks a door."""

    at: Address
    output: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The devices that are served. ``sides``: address of a reader by door and side."""

    readers: tuple[ReaderPlan, ...] = ()
    boards: tuple[BoardPlan, ...] = ()
    locks: Mapping[str, Lock] = field(default_factory=dict)
    sides: Mapping[tuple[str, Side], Address] = field(default_factory=dict)
    troubles: tuple[Trouble, ...] = ()


def layout(configuration: Configure) -> Layout:
    """Return the layout of *configuration*; total."""
    builder = _LayoutBuilder(configuration)
    for door in configuration.doors:
        builder.add(door)
    return Layout(
        tuple(builder.readers), tuple(builder.boards.values()), builder.locks, builder.sides, tuple(builder.troubles)
    )


class _LayoutBuilder:
    def __init__(self, configuration: Configure) -> None:
        self._configuration = configuration
        self.readers: list[ReaderPlan] = []
        self.boards: dict[int, BoardPlan] = {}
        self.locks: dict[str, Lock] = {}
        self.sides: dict[tuple[str, Side], Address] = {}
        self.troubles: list[Trouble] = []

    def add(self, door: DoorSetup) -> None:
        """Add *door* as a whole, or report the reason why not."""
        try:
            if door.door in self.locks:
                raise RefusedError(Message("doors.door-name-duplicate"))
            sides = {(door.door, reader.side): parse(reader.address) for reader in door.readers}
            if len(sides) < len(door.readers):
                raise RefusedError(Message("doors.side-duplicate"))
            lock = Lock(parse(door.strike.address), door.strike.output)
            if not isinstance(lock.at, Uhppote) and door.strike_seconds > _LONGEST_OSDP:
                raise RefusedError(Message("doors.strike-time-too-long"))
            readers = self._readers(door, sides, lock)
            boards = self._boards(door, sides, lock)
        except ShoumiError as error:
            text = Message("doors.door-not-in-service", door=door.door, reason=error.text)
            self.troubles.append(Trouble(text, door.door))
            return
        self.readers, self.boards = readers, boards
        self.locks[door.door] = lock
        self.sides.update(sides)

    def _readers(self, door: DoorSetup, sides: Mapping[tuple[str, Side], Address], lock: Lock) -> list[ReaderPlan]:
        added = list(self.readers)
        for (name, side), address in sides.items():
            if not isinstance(address, Uhppote):
                keys = tuple(_key(text, address) for text in self._configuration.keys.get(str(address), ()))
                if not keys:
                    self.troubles.append(_without_key(name, address))
                    continue
                added.append(ReaderPlan(address, name, side, keys, wired=address == lock.at))
        by_line(added)
        return added

    def _boards(self, door: DoorSetup, sides: Mapping[tuple[str, Side], Address], lock: Lock) -> dict[int, BoardPlan]:
        boards = dict(self.boards)
        own_sides = {address: side for (_, side), address in sides.items() if isinstance(address, Uhppote)}
        for address in {*own_sides, lock.at}:
            if isinstance(address, Uhppote):
                readers = {
                    side: str(address) for (_, side), reader_address in sides.items() if reader_address == address
                }
                plan = boards.setdefault(
                    address.serial, BoardPlan(address, {}, self._configuration.seen.get(str(address.serial)))
                )
                if plan.address.line != address.line:
                    raise RefusedError(Message("doors.board-address-conflict"))
                if address.door in plan.places:
                    raise RefusedError(Message("doors.board-door-in-use"))
                place = DoorBinding(door.door, readers, max(1, round(door.strike_seconds)))
                boards[address.serial] = replace(plan, places={**plan.places, address.door: place})
        return boards


def _key(text: str, address: Address) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        reader = visible(str(address))
        raise RefusedError(Message("doors.reader-key-invalid", reader=reader)) from None


def _without_key(door: str, address: Address) -> Trouble:
    reader = visible(str(address))
    return Trouble(Message("doors.reader-not-commissioned", reader=reader), door)
