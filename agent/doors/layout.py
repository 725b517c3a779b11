"""What a configuration means: which readers, boards and locks there are, and which door each belongs to.

Rules of this file: pure. A door that cannot be served as it is described is left out with a word about why, and takes
no other door with it; nothing is guessed.
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
from rules.text import Text
from rules.visible import visible

_LONGEST_WHY = 600  # characters: what is said has a bound
_LONGEST_OSDP = 25.5  # seconds: an output's timer has eight bits of 100 ms


@dataclass(frozen=True, slots=True)
class Lock:
    """What unlocks a door."""

    at: Address
    output: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything that is served. ``sides``: where the readers of a door are, by door and side."""

    readers: tuple[ReaderPlan, ...] = ()
    boards: tuple[BoardPlan, ...] = ()
    locks: Mapping[str, Lock] = field(default_factory=dict)
    sides: Mapping[tuple[str, Side], Address] = field(default_factory=dict)
    troubles: tuple[Trouble, ...] = ()


def layout(asked: Configure) -> Layout:
    """Return what *asked* means; total."""
    made = _Made(asked)
    for door in asked.doors:
        made.add(door)
    return Layout(tuple(made.readers), tuple(made.boards.values()), made.locks, made.sides, tuple(made.troubles))


class _Made:
    def __init__(self, asked: Configure) -> None:
        self._asked = asked
        self.readers: list[ReaderPlan] = []
        self.boards: dict[int, BoardPlan] = {}
        self.locks: dict[str, Lock] = {}
        self.sides: dict[tuple[str, Side], Address] = {}
        self.troubles: list[Trouble] = []

    def add(self, door: DoorSetup) -> None:
        """Take *door* in as a whole, or say why not."""
        try:
            if door.door in self.locks:
                raise RefusedError(Text("its name is there twice", "名称重复"))
            sides = {(door.door, reader.side): parse(reader.address) for reader in door.readers}
            if len(sides) < len(door.readers):
                raise RefusedError(Text("two of its readers are on one side", "同一侧有两台读卡器"))
            lock = Lock(parse(door.strike.address), door.strike.output)
            if not isinstance(lock.at, Uhppote) and door.strike_seconds > _LONGEST_OSDP:
                raise RefusedError(Text("an OSDP output counts to 25.5 seconds", "OSDP 输出最多计时 25.5 秒"))
            readers = self._readers(door, sides, lock)
            boards = self._boards(door, sides, lock)
        except ShoumiError as error:
            name, why = visible(door.door)[:200], error.text
            said = Text(
                f"door `{name}` is not served: {why.en[:_LONGEST_WHY]}",
                f"门 `{name}` 未投入使用：{why.zh[:_LONGEST_WHY]}",
            )
            self.troubles.append(Trouble(said, door.door))
            return
        self.readers, self.boards = readers, boards
        self.locks[door.door] = lock
        self.sides.update(sides)

    def _readers(self, door: DoorSetup, sides: Mapping[tuple[str, Side], Address], lock: Lock) -> list[ReaderPlan]:
        added = list(self.readers)
        for (name, side), address in sides.items():
            if not isinstance(address, Uhppote):
                keys = tuple(_key(text) for text in self._asked.keys.get(str(address), ()))
                if not keys:
                    self.troubles.append(_without_key(name, address))
                    continue
                added.append(ReaderPlan(address, name, side, keys, wired=address == lock.at))
        by_line(added)
        return added

    def _boards(self, door: DoorSetup, sides: Mapping[tuple[str, Side], Address], lock: Lock) -> dict[int, BoardPlan]:
        boards = dict(self.boards)
        mine = {address: side for (_, side), address in sides.items() if isinstance(address, Uhppote)}
        for address in {*mine, lock.at}:
            if isinstance(address, Uhppote):
                readers = {side: str(address) for (_, side), other in sides.items() if other == address}
                plan = boards.setdefault(
                    address.serial, BoardPlan(address, {}, self._asked.seen.get(str(address.serial)))
                )
                if plan.where.line != address.line:
                    raise RefusedError(Text("its board is there with two addresses", "控制器有两个不同地址"))
                if address.door in plan.places:
                    raise RefusedError(Text("its place on the board is taken", "控制器上的门位已被占用"))
                place = DoorBinding(door.door, readers, max(1, round(door.strike_seconds)))
                boards[address.serial] = replace(plan, places={**plan.places, address.door: place})
        return boards


def _key(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise RefusedError(Text("the key of its reader is none", "读卡器密钥无效")) from None


def _without_key(door: str, address: Address) -> Trouble:
    shown = visible(str(address))
    return Trouble(
        Text(f"the reader `{shown}` has no key: commission it first", f"读卡器 `{shown}` 没有密钥：请先写入密钥"), door
    )
