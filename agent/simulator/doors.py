"""Doors of a simulated site: actions at a door, and its visible state.

Rules of this file: actions affect the devices and reach the agent over the wire only; an action the kind of device does
not support is refused.
"""

from typing import Any, Literal, Protocol

from agent.doors.messages import Side
from agent.errors import RefusedError
from agent.simulator.osdp_reader import SoftwareReader
from agent.simulator.uhppote_board import Board
from rules.text import Message, Sentence
from rules.visible import visible


class SimulatedDoor(Protocol):
    """The actions at a door, and its visible state. ``side`` is the side the person is on."""

    def swipe(self, side: Side, card: int, facility: int) -> None:
        """Show a badge."""

    def press(self, side: Side, digits: str) -> None:
        """Press keys."""

    def tamper(self, side: Side, *, active: bool) -> None:
        """Open a reader's housing, or close it."""

    def contact(self, *, is_open: bool) -> None:
        """Open or close the leaf."""

    def alarm(self, kind: Literal["held", "forced"]) -> None:
        """Report the alarm, if the kind of device does so."""

    def rex(self) -> None:
        """Press the exit button."""

    def power(self, *, failed: bool) -> None:
        """Cut the power supply, or restore it."""

    def reach(self, side: Side, *, online: bool) -> None:
        """Cut the cable, or reconnect it."""

    def state(self) -> dict[str, Any]:
        """Return the visible state: ``unlocked`` now, ``opened`` (count), lights, text, addresses."""


class OsdpDoor:
    """A door with one or two OSDP readers."""

    def __init__(self) -> None:
        self.readers: dict[Side, SoftwareReader] = {}
        self.wired: SoftwareReader | None = None
        self._open = False

    def _at(self, side: Side) -> SoftwareReader:
        if side not in self.readers:
            raise RefusedError(Message("simulator.no-reader-on-side", side=side))
        return self.readers[side]

    def _lock(self) -> SoftwareReader:
        if self.wired is None:
            raise RefusedError(Message("simulator.door-not-wired"))
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

    def alarm(self, kind: Literal["held", "forced"]) -> None:
        """Do nothing: the agent detects a held or forced door by itself."""

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
            "readers": {side: _reader_state(reader) for side, reader in self.readers.items()},
        }


class BoardDoor:
    """One door of a board. Actions at it become events of the board."""

    def __init__(self, board: Board, place: int) -> None:
        self._board = board
        self._place = place

    def swipe(self, side: Side, card: int, _facility: int) -> None:
        """See :class:`SimulatedDoor`; a board has one number for facility and card."""
        self._board.swipe(self._place, card, side)

    def press(self, _side: Side, _digits: str) -> None:
        """See :class:`SimulatedDoor`."""
        raise _boards_have_no(Message("simulator.feature-keypad"))

    def tamper(self, _side: Side, *, active: bool) -> None:
        """See :class:`SimulatedDoor`."""
        raise _boards_have_no(Message("simulator.feature-tamper"))

    def contact(self, *, is_open: bool) -> None:
        """See :class:`SimulatedDoor`."""
        self._board.move(self._place, is_open=is_open)

    def alarm(self, kind: Literal["held", "forced"]) -> None:
        """See :class:`SimulatedDoor`."""
        self._board.alarm(self._place, 37 if kind == "held" else 38)

    def rex(self) -> None:
        """See :class:`SimulatedDoor`."""
        self._board.button(self._place)

    def power(self, *, failed: bool) -> None:
        """See :class:`SimulatedDoor`; a board without power is silent, and reports the failure afterwards."""
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


def _reader_state(reader: SoftwareReader) -> dict[str, Any]:
    lights = [command.colour for command in reader.heard if command.kind == "light"]
    texts = [str(command.fields.get("data", "")) for command in reader.heard if command.kind == "text"]
    return {
        "address": reader.address,
        "light": lights[-1] if lights else "off",
        "text": visible(texts[-1]) if texts else "",
        "sounds": reader.times("sound"),
        "commissioned": reader.key is not None,
    }


def _boards_have_no(feature: Sentence) -> RefusedError:
    return RefusedError(Message("simulator.board-lacks-feature", feature=feature))
