"""What libosdp reads from and writes to: a line with a screen before it.

Rules of this file: libosdp sees whole replies to its last command and nothing else (:mod:`agent.doors.osdp.frames`).
Nothing raises into libosdp: an exception there would end the thread that serves every door. A command that was given
up is not repeated on the line, whatever libosdp's own retries want.
"""

import itertools
from collections import Counter
from collections.abc import Callable
from typing import Final

from agent.doors.osdp.frames import Frame, fits, parse, take
from agent.doors.osdp.transport import Wire

_MOST_WAITING: Final = 4096  # bytes; a reply has at most 255
_SENT_IN_VAIN: Final = 3  # a second apart; libosdp alone would go on for nine, and hold up the others on the line
_ids = itertools.count(1)


def next_id() -> int:
    """Return the number of a new bus: never 0, which libosdp takes for one bus of all, and never the same again."""
    return next(_ids)


class OsdpChannel:
    """One bus. ``answered``: reader number → what it answered last; ``dropped``: what the screen kept out, by reason.

    ``on_fault`` is told, once for each, of exceptions that should not have been.
    """

    def __init__(self, wire: Wire, on_fault: Callable[[Exception], None]) -> None:
        self.id = next_id()
        self.wire = wire
        self.withheld: set[int] = set()
        self._unanswered: Counter[int] = Counter()
        self.answered: dict[int, Frame] = {}
        self.dropped: Counter[str] = Counter()
        self._on_fault = on_fault
        self._asked: Frame | None = None
        self._coming = bytearray()
        self._ready = bytearray()

    def read(self, most: int) -> bytes:
        """Return at most *most* bytes of a reply that fits."""
        try:
            if not self._ready:
                self._receive()
            data = bytes(self._ready[:most])
            del self._ready[:most]
        except Exception as error:  # noqa: BLE001 - libosdp would never call again
            self._on_fault(error)
            return b""
        return data

    def write(self, data: bytes) -> int:
        """Send a command; ``-1`` makes libosdp give the reader up, which is how a command is taken back."""
        try:
            written = take(bytearray(data))
            asked = parse(written) if written else None
            if asked is None or asked.number in self.withheld or self._silent(asked.number):
                return -1
            self._asked = asked
            return self.wire.write(data)
        except Exception as error:  # noqa: BLE001 - libosdp would never call again
            self._on_fault(error)
            return -1

    def flush(self) -> None:
        """Forget what has come so far: libosdp asks for it before each command, and a reply follows its command."""
        try:
            self.wire.read()
            self._coming.clear()
            self._ready.clear()
        except Exception as error:  # noqa: BLE001 - libosdp would never call again
            self._on_fault(error)

    def _silent(self, number: int) -> bool:
        """Count a command, and return whether it is one too many to a reader that does not answer."""
        self._unanswered[number] += 1
        if self._unanswered[number] <= _SENT_IN_VAIN:
            return False
        del self._unanswered[number]
        return True

    def _receive(self) -> None:
        self._coming += self.wire.read()
        if len(self._coming) > _MOST_WAITING:
            self._coming.clear()
            self.dropped["flood"] += 1
        while (came := take(self._coming)) is not None:
            reply = parse(came)
            if reply is None or self._asked is None or not fits(self._asked, reply):
                self.dropped["unfit"] += 1
                continue
            self.answered[reply.number] = reply
            self._unanswered.pop(reply.number, None)
            self._ready += came
            return
