"""Reports of a reader, translated into events of the doors (:mod:`agent.doors.messages`).

Rules of this file: pure except for the last reported states, so that a state is sent on change, and once after each
start. A card or key is sent with its flags ``secure`` and ``stale``, and is decided elsewhere. A state counts only over
a Secure Channel. A press of the exit button that may be old opens nothing: the person can press again.
"""

from collections.abc import Iterator
from typing import Final

from agent.doors.frames import Trouble
from agent.doors.messages import Contact, KeyPress, Power, Read, RequestToExit, Said, Tamper
from agent.doors.osdp import library
from agent.doors.osdp.decode import UnreadableCardError, decode, keys
from agent.doors.osdp.library import Fields
from agent.doors.osdp.plan import ReaderPlan
from rules.text import Message
from rules.visible import visible

_CONTACT, _EXIT = 0, 1  # inputs of the reader a door is wired to
_WIRING_FAULT: Final = 2  # and above: a supervised input whose line is cut or short


class Hearing:
    """The reports of one reader. For one thread."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Forget all states: the next report of each is sent, whatever its value."""
        self._tamper: bool | None = None
        self._power: bool | None = None
        self._open: bool | None = None
        self._pressed: bool | None = None
        self._opened: bool | None = None
        self._cut = self._away = False

    def events(
        self, plan: ReaderPlan, fields: Fields, *, secure: bool, stale: bool, at: float
    ) -> Iterator[Said | Trouble]:
        """Yield the events of a libosdp event. *at*: unix seconds."""
        match fields["event"]:
            case library.EVENT_CARD:
                yield _card(plan, fields, secure=secure, stale=stale, at=at)
            case library.EVENT_KEYS:
                if digits := keys(fields["data"])[:32]:
                    yield KeyPress(plan.door, plan.side, digits, secure, stale)
            case library.EVENT_STATUS if secure:
                yield from self._states(plan, fields["type"], fields["report"], stale=stale)

    def _states(self, plan: ReaderPlan, kind: int, report: bytes, *, stale: bool) -> Iterator[Said]:
        if kind == library.LOCAL and len(report) >= 2:
            self._opened = report[0] != 0
            yield from self._powered(plan, failed=report[1] != 0)
        elif kind == library.REMOTE and report:
            self._away = report[0] != 0
        elif kind == library.INPUT and plan.wired:
            self._cut = any(state >= _WIRING_FAULT for state in report[: _EXIT + 1])
            if len(report) > _CONTACT:
                yield from self._contact(plan, is_open=report[_CONTACT] != 0)
            if len(report) > _EXIT:
                yield from self._exit(plan, pressed=report[_EXIT] == 1, stale=stale)
        tamper = bool(self._opened or self._cut or self._away)
        if tamper != self._tamper and (tamper or self._opened is not None):
            self._tamper = tamper
            yield Tamper(plan.door, plan.side, tamper)

    def _powered(self, plan: ReaderPlan, *, failed: bool) -> Iterator[Said]:
        if failed != self._power:
            self._power = failed
            yield Power(plan.door, failed)

    def _contact(self, plan: ReaderPlan, *, is_open: bool) -> Iterator[Said]:
        if is_open != self._open:
            self._open = is_open
            yield Contact(plan.door, is_open)

    def _exit(self, plan: ReaderPlan, *, pressed: bool, stale: bool) -> Iterator[Said]:
        if pressed and self._pressed is False and not stale:
            yield RequestToExit(plan.door)
        self._pressed = pressed


def _card(plan: ReaderPlan, fields: Fields, *, secure: bool, stale: bool, at: float) -> Said | Trouble:
    try:
        card = decode(fields["data"], fields.get("length", 0))
    except UnreadableCardError as error:
        source, reason = visible(str(plan.address)), str(error)
        return Trouble(Message("doors.card-data-invalid", reader=source, reason=reason), plan.door)
    return Read(plan.door, plan.side, card.number, at, secure, stale, card.bits, card.facility, card.raw)
