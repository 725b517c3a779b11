"""Channel between libosdp and a line, with a filter of the replies.

Rules of this file: libosdp sees whole replies to its last command and nothing else (:mod:`agent.doors.osdp.frames`).
Nothing raises into libosdp: an exception there would end the thread that serves every door. A command that was given
up is not repeated on the line, in spite of libosdp's own retries.
"""

import itertools
from collections import Counter
from collections.abc import Callable
from typing import Final

from agent.doors.osdp.frames import Frame, fits, parse, take
from agent.doors.osdp.transport import Wire

_MOST_WAITING: Final = 4096  # bytes; a reply has at most 255
_SENT_IN_VAIN: Final = 3  # a second apart; libosdp alone would try nine times, and delay the other readers
_ids = itertools.count(1)


def next_id() -> int:
    """Return a unique number for a new bus: never 0, which to libosdp is one bus shared by all."""
    return next(_ids)


class OsdpChannel:
    """One bus. ``answered``: reader number → its last reply; ``dropped``: number of filtered replies, by reason.

    ``on_fault`` gets every unexpected exception.
    """

    def __init__(self, wire: Wire, on_fault: Callable[[Exception], None]) -> None:
        self.id = next_id()
        self.wire = wire
        self.withheld: set[int] = set()
        self._unanswered: Counter[int] = Counter()
        self.answered: dict[int, Frame] = {}
        self.dropped: Counter[str] = Counter()
        self._on_fault = on_fault
        self._last_command: Frame | None = None
        self._coming = bytearray()
        self._ready = bytearray()

    def read(self, most: int) -> bytes:
        """Return at most *most* bytes of a matching reply."""
        try:
            if not self._ready:
                self._receive()
            reply = bytes(self._ready[:most])
            del self._ready[:most]
        except Exception as error:  # noqa: BLE001 - libosdp would never call again
            self._on_fault(error)
            return b""
        return reply

    def write(self, frame: bytes) -> int:
        """Send a command. Returning ``-1`` makes libosdp give the reader up; that is how a command is withdrawn."""
        try:
            written = take(bytearray(frame))
            command = parse(written) if written else None
            if command is None or command.number in self.withheld or self._silent(command.number):
                return -1
            self._last_command = command
            return self.wire.write(frame)
        except Exception as error:  # noqa: BLE001 - libosdp would never call again
            self._on_fault(error)
            return -1

    def flush(self) -> None:
        """Discard received bytes: libosdp calls this before each command, and a reply follows its command."""
        try:
            self.wire.read()
            self._coming.clear()
            self._ready.clear()
        except Exception as error:  # noqa: BLE001 - libosdp would never call again
            self._on_fault(error)

    def _silent(self, number: int) -> bool:
        """Count a command; return whether the reader has left too many unanswered."""
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
        while (frame := take(self._coming)) is not None:
            reply = parse(frame)
            if reply is None or self._last_command is None or not fits(self._last_command, reply):
                self.dropped["unfit"] += 1
                continue
            self.answered[reply.number] = reply
            self._unanswered.pop(reply.number, None)
            self._ready += frame
            return
