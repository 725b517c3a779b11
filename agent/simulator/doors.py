"""The doors of a simulated site, each as hands and eyes find it.

Rules of this file: what is done here happens to the devices and reaches the agent over the wire or not at all; what a
kind of device does not have is refused.
"""

from typing import Any, Literal, Protocol

from agent.doors.messages import Side
from agent.errors import RefusedError
from agent.simulator.osdp_reader import SoftwareReader
from agent.simulator.uhppote_board import Board
from rules.text import Text
from rules.visible import visible


class SimulatedDoor(Protocol):
    """What can be done at a door, and what is seen there. ``side`` is where somebody stands."""

    def swipe(self, side: Side, card: int, facility: int) -> None:
        """Show a badge."""

    def press(self, side: Side, digits: str) -> None:
        """Press keys."""

    def tamper(self, side: Side, *, active: bool) -> None:
        """Open a reader's housing, or close it."""

    def contact(self, *, is_open: bool) -> None:
        """Open or close the leaf."""

    def alarm(self, what: Literal["held", "forced"]) -> None:
        """Let the device say so, if it is one that does."""

    def rex(self) -> None:
        """Press the button inside."""

    def power(self, *, failed: bool) -> None:
        """Fail the supply, or bring it back."""

    def reach(self, side: Side, *, online: bool) -> None:
        """Cut the cable, or mend it."""

    def state(self) -> dict[str, Any]:
        """Return what is seen: ``unlocked`` now, ``opened`` how often, lights, text, addresses."""


class OsdpDoor:
    """A door with one or two OSDP readers."""

    def __init__(self) -> None:
        self.readers: dict[Side, SoftwareReader] = {}
        self.wired: SoftwareReader | None = None
        self._open = False

    def _at(self, side: Side) -> SoftwareReader:
        if side not in self.readers:
            raise RefusedError(Text(f"the door has no reader `{side}`", f"该门没有 `{side}` 读卡器"))
        return self.readers[side]

    def _lock(self) -> SoftwareReader:
        if self.wired is None:
            raise RefusedError(Text("nothing of the door is wired to its readers", "该门未接线到读卡器"))
        return self.wired

    def swipe(self, side: Side, card: int, facility: int) -> None:
        """See :class:`SimulatedDoor`."""
        self._at(side).swipe(card, facility)

    def press(self, side: Side, digits: str) -> None:
        """See :class:`SimulatedDoor`."""
        self._at(side).press(digits)

    def tamper(self, side: Side, *, active: bool) -> None:
        """See :class:`SimulatedDoor`."""
        self._at(side).tamper(active=active)

    def contact(self, *, is_open: bool) -> None:
        """See :class:`SimulatedDoor`."""
        self._lock().contact(open=is_open)
        self._open = is_open

    def alarm(self, what: Literal["held", "forced"]) -> None:
        """Do nothing: that a door is held or forced, the agent finds out by itself."""

    def rex(self) -> None:
        """See :class:`SimulatedDoor`."""
        self._lock().rex()

    def power(self, *, failed: bool) -> None:
        """See :class:`SimulatedDoor`."""
        for reader in self.readers.values():
            reader.power(failed=failed)

    def reach(self, side: Side, *, online: bool) -> None:
        """See :class:`SimulatedDoor`."""
        if online:
            self._at(side).online()
        else:
            self._at(side).offline()

    def state(self) -> dict[str, Any]:
        """See :class:`SimulatedDoor`."""
        lock = self.wired
        return {
            "unlocked": lock is not None and lock.unlocked(),
            "opened": lock.times("strike") if lock else 0,
            "open": self._open,
            "readers": {side: _seen(reader) for side, reader in self.readers.items()},
        }


class BoardDoor:
    """One door of a board. What is done to it becomes events of the board."""

    def __init__(self, board: Board, place: int) -> None:
        self._board = board
        self._place = place

    def swipe(self, side: Side, card: int, _facility: int) -> None:
        """See :class:`SimulatedDoor`; a board has one number for facility and card."""
        self._board.swipe(self._place, card, side)

    def press(self, _side: Side, _digits: str) -> None:
        """See :class:`SimulatedDoor`."""
        raise _boards_have_no("keypads that report keys", "上报按键的键盘")

    def tamper(self, _side: Side, *, active: bool) -> None:
        """See :class:`SimulatedDoor`."""
        raise _boards_have_no("tamper contacts at readers", "读卡器防拆触点")

    def contact(self, *, is_open: bool) -> None:
        """See :class:`SimulatedDoor`."""
        self._board.move(self._place, is_open=is_open)

    def alarm(self, what: Literal["held", "forced"]) -> None:
        """See :class:`SimulatedDoor`."""
        self._board.alarm(self._place, 37 if what == "held" else 38)

    def rex(self) -> None:
        """See :class:`SimulatedDoor`."""
        self._board.button(self._place)

    def power(self, *, failed: bool) -> None:
        """See :class:`SimulatedDoor`; a board without power is silent, and says so when it has it again."""
        self._board.faults.dead = failed
        if not failed:
            self._board.reboot()

    def reach(self, _side: Side, *, online: bool) -> None:
        """See :class:`SimulatedDoor`."""
        self._board.faults.dead = not online

    def state(self) -> dict[str, Any]:
        """See :class:`SimulatedDoor`."""
        leaf = self._board.doors[self._place]
        cards = [card.number for card in self._board.memory.cards if card]
        return {
            "unlocked": self._board.unlocked(self._place),
            "opened": leaf.opened,
            "open": leaf.open,
            "readers": {},
            "board": self._board.serial,
            "address": f"{self._board.line}/{self._place}",
            "under_control": self._board.under_control,
            "cards": cards,
        }


def _seen(reader: SoftwareReader) -> dict[str, Any]:
    lights = [told.colour for told in reader.heard if told.what == "light"]
    texts = [str(told.fields.get("data", "")) for told in reader.heard if told.what == "text"]
    return {
        "address": reader.address,
        "light": lights[-1] if lights else "off",
        "text": visible(texts[-1]) if texts else "",
        "sounds": reader.times("sound"),
        "commissioned": reader.key is not None,
    }


def _boards_have_no(en: str, zh: str) -> RefusedError:
    return RefusedError(Text(f"a board has no {en}", f"控制器没有{zh}"))
