"""A reader that is none: libosdp's own peripheral on a TCP port or a pseudo-terminal, with Secure Channel.

It serves the simulator, the demo and the tests, and everything on the wire is real. Rules of this file: one thread a
line; libosdp is touched by that thread alone, and the other methods are for any thread. A strike falls back by itself,
as a real one does; what the panel said is written down and can be waited for.
"""

import contextlib
import os
import pty
import queue
import select
import socket
import sys
import threading
import time
import tty
from collections.abc import Callable, Sequence
from typing import Final, Self

from agent.doors.osdp import library
from agent.doors.osdp.channel import next_id
from agent.doors.osdp.decode import encode
from agent.doors.osdp.frames import take
from agent.doors.osdp.library import Fields, Peripheral, PeripheralSetup, ReaderIdentity
from agent.simulator.osdp_commands import WHAT, ReceivedCommand

INPUTS: Final = 2
_IN_TIME: Final = 10.0  # seconds
_IDLE: Final = 0.02  # seconds between two looks at timers while nothing comes


class SoftwareReader:
    """One reader. ``key``: 16 bytes, or ``None``: it is in install mode and takes the first key it is given.

    ``enforce=False`` makes it one of those that would also talk in clear. ``display``: whether it has one.
    """

    def __init__(
        self,
        number: int = 1,
        key: bytes | None = None,
        *,
        outputs: int = 2,
        enforce: bool = True,
        display: bool = True,
        buzzer: bool = True,
    ) -> None:
        self.number = number
        self.key = key
        self.heard: list[ReceivedCommand] = []
        self.on_told: Callable[[ReceivedCommand], None] | None = None  # called in the line's thread
        self._outputs = outputs
        self._enforce = enforce
        self._declared = [
            (library.OUTPUTS, 1, outputs),
            (library.INPUTS, 1, INPUTS),
            (library.LIGHTS, 1, 1),
            (library.CARD_FORMATS, 1, 1),
            *([(library.SOUNDS, 1, 1)] if buzzer else []),
            *([(library.DISPLAYS, 1, 1)] if display else []),
        ]
        self._said = threading.Condition()
        self._inputs = bytearray(INPUTS)
        self._local = bytearray(2)
        self._until = [0.0] * outputs
        self.line: ReaderLine | None = None  # the line sets it
        self._device: Peripheral | None = None
        self._channel = _Channel()
        self._away = False

    # --- what happens at it ------------------------------------------------------------------------------------------

    def swipe(self, card: int, facility: int = 0, bits: int = 26) -> None:
        """Show a card."""
        self.swipe_raw(encode(card, facility, bits), bits)

    def swipe_raw(self, data: bytes, bits: int) -> None:
        """Show a card with these bits, right or wrong."""
        self._report(
            {
                "event": library.EVENT_CARD,
                "reader_no": 0,
                "format": library.WIEGAND,
                "direction": 0,
                "length": bits,
                "data": data,
            }
        )

    def press(self, digits: str) -> None:
        """Press keys: digits, ``*`` and ``#``."""
        data = bytes({"*": 0x7F, "#": 0x0D}.get(digit, ord(digit)) for digit in digits)
        self._report({"event": library.EVENT_KEYS, "reader_no": 0, "data": data})

    def tamper(self, *, active: bool = True) -> None:
        """Open its housing, or close it."""
        self._local[0] = active
        self._report_states(library.LOCAL, self._local)

    def power(self, *, failed: bool = True) -> None:
        """Fail its supply, or bring it back."""
        self._local[1] = failed
        self._report_states(library.LOCAL, self._local)

    def contact(self, *, open: bool) -> None:  # noqa: A002 - the word of the doors
        """Open or close the door it is wired to."""
        self.input(0, int(open))

    def rex(self) -> None:
        """Press the exit button, and let go."""
        self.input(1, 1)
        self.input(1, 0)

    def input(self, which: int, value: int) -> None:
        """Set an input: 0 off, 1 on, 2 and above what a supervised line says of a cut or short."""
        self._inputs[which] = value
        self._report_states(library.INPUT, self._inputs)

    def offline(self) -> None:
        """Stop answering, as with its cable pulled. It does not when this returns."""
        assert self.line is not None
        self.line.done(lambda: setattr(self, "_away", True))

    def online(self, *, restarted: bool = False) -> None:
        """Answer again. ``restarted``: with its power back, so that it knows of no channel and no queue."""

        def again() -> None:
            self._away = False
            if restarted:
                self._make()

        assert self.line is not None
        self.line.done(again)

    # --- what it shows -----------------------------------------------------------------------------------------------

    def unlocked(self, output: int = 0) -> bool:
        """Return whether a strike is released now."""
        return time.monotonic() < self._until[output]

    def wait(self, wanted: Callable[[Sequence[ReceivedCommand]], bool], timeout: float = 10.0) -> bool:
        """Wait until what was heard is as *wanted*; whether it came to be."""
        with self._said:
            return self._said.wait_for(lambda: wanted(self.heard), timeout)

    def times(self, what: str) -> int:
        """Return how often the panel said this."""
        return sum(told.what == what for told in self.heard)

    @property
    def address(self) -> str:
        """Where a panel reaches it."""
        assert self.line is not None
        return self.line.address(self)

    # --- in the thread of its line -----------------------------------------------------------------------------------

    def serve(self, frame: bytes | None) -> bytes:
        """Take a command, or only look at the clock; return what goes onto the line."""
        if self._away:
            return b""
        if self._device is None:
            self._make()
        assert self._device is not None
        if frame is not None:
            self._channel.coming += frame
        self._device.refresh()
        going, self._channel.going = bytes(self._channel.going), bytearray()
        return going

    def _make(self) -> None:
        if self._device is not None:
            self._device.close()
        self._channel = _Channel()
        flags = library.ENFORCE_SECURE if self._enforce and self.key else 0
        identity = ReaderIdentity(0xCAFE01, 1, 1, 1000 + self.number, 0x010203)
        peer = PeripheralSetup(self.number, self.key, flags)
        self._device = Peripheral(self._channel, peer, identity, self._declared, self._told)

    def _told(self, fields: Fields) -> Fields | None:
        kind = fields["command"]
        now = time.monotonic()
        if kind == library.OUTPUT_COMMAND:
            self._switch(fields, now)
        if kind == library.KEYSET_COMMAND:
            self.key = bytes(fields["data"])
        told = ReceivedCommand(WHAT.get(kind, "other"), fields, now)
        with self._said:
            self.heard.append(told)
            self._said.notify_all()
        if self.on_told is not None:
            self.on_told(told)
        return self._states(fields["type"]) if kind == library.STATUS_COMMAND else None

    def _switch(self, fields: Fields, now: float) -> None:
        """Codes of osdp_OUT: 1 and 3 off, 2 and 4 on, 5 on for a time (IEC 60839-11-5 section 6)."""
        lasts = {2: float("inf"), 4: float("inf"), 5: fields["timer_count"] / 10}
        self._until[fields["output_no"]] = now + lasts.get(fields["control_code"], 0.0)

    def _states(self, kind: int) -> Fields:
        """Answer a question about states.

        The binding has no way to; but the bytes of a maker's command (vendor, data) lie where those of a report do
        (type, number of entries, entries), and it takes one.
        """
        states = self._local if kind == library.LOCAL else self._inputs
        data = len(states).to_bytes(4, sys.byteorder) + states
        return {"command": library.MAKER_COMMAND, "vendor_code": kind, "data": data}

    def _report_states(self, kind: int, states: bytearray) -> None:
        self._report({"event": library.EVENT_STATUS, "type": kind, "report": bytes(states)})

    def _report(self, event: Fields) -> None:
        assert self.line is not None, "the reader is on no line"
        self.line.do(lambda: self._device.submit(event) if self._device is not None else None)


class _Channel:
    """What one peripheral reads and writes: the frames its line hands it."""

    def __init__(self) -> None:
        self.id = next_id()
        self.coming = bytearray()
        self.going = bytearray()

    def read(self, most: int) -> bytes:
        data = bytes(self.coming[:most])
        del self.coming[:most]
        return data

    def write(self, data: bytes) -> int:
        self.going += data
        return len(data)

    def flush(self) -> None:
        """Nothing is dropped: a command comes when the last one is answered."""


class ReaderLine:
    """A TCP port of loopback, or a pty, with readers on it. One panel at a time: the last one to connect.

    ``mangle`` may change what goes to the panel, as noise on the line would. ``where``: what its addresses begin with.
    """

    def __init__(
        self,
        readers: Sequence[SoftwareReader],
        *,
        serial: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        mangle: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self.readers = {reader.number: reader for reader in readers}
        self.mangle = mangle
        for reader in readers:
            reader.line = self
        self._acts: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._ending = False
        self._thread = threading.Thread(target=self._serve, name="simulated-readers", daemon=True)
        self._coming = bytearray()
        self._listener: socket.socket | None = None
        self._panel: socket.socket | int | None = None
        self._other_end = -1
        if serial:
            self._panel, self._other_end = pty.openpty()
            tty.setraw(self._other_end)  # kept open, so that the line outlives a panel
            os.set_blocking(self._panel, False)
            self.where = f"osdp+serial://{os.ttyname(self._other_end)}?baud=115200#"
        else:
            self._listener = socket.create_server((host, port))
            self._listener.setblocking(False)
            self.where = f"osdp+tcp://{host}:{self._listener.getsockname()[1]}/"
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._woken.setblocking(False)

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End, and close the line, whether it was started or not."""
        self.do(lambda: setattr(self, "_ending", True))
        self._thread.join() if self._thread.ident else self._close()
        self._wake.close()
        self._woken.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_why: object) -> None:
        self.stop()

    def address(self, reader: SoftwareReader) -> str:
        """Return the address of one of the readers."""
        return f"{self.where}{reader.number}"

    def hang_up(self) -> None:
        """Close the connection of the panel, as a converter that restarts."""
        self.do(self._hang_up)

    def do(self, act: Callable[[], object]) -> None:
        """Have something done in the line's thread."""
        self._acts.put(act)
        with contextlib.suppress(OSError):  # it is awake already, or has ended
            self._wake.send(b"\0")

    def done(self, act: Callable[[], object]) -> None:
        """Have something done in the line's thread, and wait until it is."""
        happened = threading.Event()
        self.do(act)
        self.do(happened.set)
        if threading.current_thread() is not self._thread:
            happened.wait(_IN_TIME)

    # --- its thread --------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        looked = 0.0
        while not self._ending:
            self._await()
            self._accept()
            self._answer(self._receive())
            now = time.monotonic()
            if now - looked >= _IDLE:
                looked = now
                for reader in self.readers.values():
                    self._send(reader.serve(None))
            while not self._acts.empty():
                self._acts.get()()
        self._close()

    def _await(self) -> None:
        waited = [self._woken, *(one for one in (self._listener, self._panel) if one is not None)]
        ready, _, _ = select.select(waited, [], [], _IDLE)
        if self._woken in ready:
            self._woken.recv(4096)

    def _accept(self) -> None:
        if self._listener is None:
            return
        with contextlib.suppress(BlockingIOError):
            panel, _ = self._listener.accept()
            self._hang_up()
            panel.setblocking(False)
            panel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._panel = panel

    def _receive(self) -> bytes:
        try:
            match self._panel:
                case None:
                    return b""
                case int():
                    return os.read(self._panel, 4096)
                case _:
                    data = self._panel.recv(4096)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._hang_up()
        return data

    def _answer(self, data: bytes) -> None:
        self._coming += data
        while (frame := take(self._coming)) is not None:
            reader = self.readers.get(frame[1])  # a reply on the line has its high bit set, and is nobody's
            if reader is not None:
                self._send(reader.serve(frame))

    def _send(self, data: bytes) -> None:
        if data and self.mangle is not None:
            data = self.mangle(data)
        if not data or self._panel is None:
            return
        with contextlib.suppress(OSError):  # a panel that went away, or does not read
            if isinstance(self._panel, int):
                os.write(self._panel, data)
            else:
                self._panel.sendall(data)

    def _hang_up(self) -> None:
        self._coming.clear()
        if isinstance(self._panel, socket.socket):
            self._panel.close()
            self._panel = None

    def _close(self) -> None:
        self._hang_up()
        for one in (self._panel, self._other_end):
            if isinstance(one, int) and one >= 0:
                os.close(one)
        if self._listener is not None:
            self._listener.close()
