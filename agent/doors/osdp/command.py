"""Commands to OSDP readers: the only ones that may be sent.

Rules of this file: pure. libosdp silently truncates numbers to eight bits (a strike of 30 s becomes 4.4 s), answers a
wrong field with ``SystemError``, and takes a reader offline when it rejects a command; so each command is built here,
within its bounds, and is sent only to a reader that declared the capability. Output code 2, which would hold a door
open for ever if the agent died, is not among them: a strike falls back by itself.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agent.doors.messages import LONGEST_TEXT, Buzzer, Led
from agent.doors.osdp import library
from agent.doors.osdp.library import Fields
from agent.errors import RefusedError
from agent.language.catalogue import localized
from rules.text import Message

LONGEST_STRIKE: Final = 25.5  # seconds: 255 tenths
_ON_FOR_A_TIME: Final = 5  # output control code: on, then off by itself
_COLOURS: Final = {"red": 1, "green": 2, "amber": 3}
_SOUNDS: Final = {"once": (2, 0, 1), "twice": (1, 1, 2), "alarm": (5, 5, 10)}  # on, off in tenths; how often
_SHOWN_FOR: Final = 5  # seconds a text stays


@dataclass(frozen=True, slots=True)
class OsdpCommand:
    """``fields`` for libosdp. ``needs``: the capability a reader must have declared, and of how many items; or none."""

    fields: Fields
    needs: tuple[int, int] | None = None

    @property
    def kind(self) -> int:
        """The number of the command in libosdp."""
        kind: int = self.fields["command"]
        return kind

    def possible(self, capability: Callable[[int], tuple[int, int]]) -> bool:
        """Return whether a reader with that *capability* supports it; libosdp drops a reader that rejects a command."""
        if self.needs is None:
            return True
        level, items = capability(self.needs[0])
        return level > 0 and items >= self.needs[1]


def strike(output: int, seconds: float) -> OsdpCommand:
    """Return the command to switch *output* on. Raises :class:`RefusedError` beyond 0.1 to 25.5 s, outputs 0 to 15."""
    if not 0 <= output <= 15:
        raise RefusedError(Message("doors.output-not-available", output=output))
    if not 0.1 <= seconds <= LONGEST_STRIKE:
        raise RefusedError(Message("doors.strike-time-out-of-range", seconds=seconds, longest_strike=LONGEST_STRIKE))
    tenths = min(255, math.ceil(seconds * 10 - 1e-9))
    fields = _fields(library.OUTPUT_COMMAND, output_no=output, control_code=_ON_FOR_A_TIME, timer_count=tenths)
    return OsdpCommand(fields, (library.OUTPUTS, output + 1))


def light(colour: Led, seconds: float = 2.0) -> OsdpCommand | None:
    """Return the command to light the first LED for a time, or to end that; ``None`` to leave it unchanged."""
    if not colour:
        return None
    on = _COLOURS.get(colour, 0)
    fields = _fields(
        library.LED_COMMAND,
        reader=0,
        led_number=0,
        temporary=True,
        control_code=2 if on else 1,
        on_count=10,
        off_count=0,
        on_color=on,
        off_color=0,
        timer_count=max(1, min(255, math.ceil(seconds * 10))),
    )
    return OsdpCommand(fields, (library.LIGHTS, 1))


def sound(how: Buzzer) -> OsdpCommand | None:
    """Return the command to sound the buzzer, or to end that; ``None`` to leave it unchanged."""
    if not how:
        return None
    on, off, times = _SOUNDS.get(how, (0, 0, 0))
    fields = _fields(
        library.BUZZER_COMMAND, reader=0, control_code=2 if on else 1, on_count=on, off_count=off, rep_count=times
    )
    return OsdpCommand(fields, (library.SOUNDS, 1))


def show(text: Message | None) -> OsdpCommand | None:
    """Return the command to show a text for some seconds, in English, because OSDP has ASCII only; ``None`` without."""
    if text is None:
        return None
    plain = "".join(letter if " " <= letter <= "~" else "?" for letter in localized(text, "en"))[:LONGEST_TEXT]
    fields = _fields(
        library.TEXT_COMMAND,
        reader=0,
        control_code=3,
        temp_time=_SHOWN_FOR,
        offset_row=1,
        offset_col=1,
        data=plain,
    )
    return OsdpCommand(fields, (library.DISPLAYS, 1)) if plain else None


def new_key(key: bytes) -> OsdpCommand:
    """Return the command to change the key of a reader over its Secure Channel. *key*: 16 bytes."""
    assert len(key) == 16
    return OsdpCommand(_fields(library.KEYSET_COMMAND, type=1, data=key), (library.SECURITY, 0))


def ask_itself() -> OsdpCommand:
    """Return the request for tamper and power (osdp_LSTAT), which every reader answers."""
    return OsdpCommand(_fields(library.STATUS_COMMAND, type=library.LOCAL))


def ask_inputs() -> OsdpCommand:
    """Return the request for the inputs (osdp_ISTAT)."""
    return OsdpCommand(_fields(library.STATUS_COMMAND, type=library.INPUT), (library.INPUTS, 1))


def _fields(kind: int, **fields: object) -> Fields:
    return {"command": kind, **fields}
