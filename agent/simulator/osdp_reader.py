"""Software reader: libosdp's own peripheral on a TCP port or a pseudo-terminal, with Secure Channel.

It serves the simulator, the demo and the tests, with real frames on the wire. Rules of this file: one thread per line;
only that thread uses libosdp, and the other methods are for any thread. A strike falls back by itself, as a real one
does; commands of the panel are recorded and can be waited for.
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
from agent.simulator.osdp_commands import COMMAND_KINDS, ReceivedCommand

INPUTS: Final = 2
_IN_TIME: Final = 10.0  # seconds
_IDLE: Final = 0.02  # seconds between two checks of timers without input


class SoftwareReader:
    """One reader. ``key``: 16 bytes, or ``None``: it is in install mode and accepts the first key it gets.

    ``enforce=False`` makes it accept commands in clear as well. ``display``: whether it has one.
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
        self.on_command: Callable[[ReceivedCommand], None] | None = None  # called in the line's thread
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
        self._received = threading.Condition()
        self._inputs = bytearray(INPUTS)
        self._local = bytearray(2)
        self._until = [0.0] * outputs
        self.line: ReaderLine | None = None  # the line sets it
        self._device: Peripheral | None = None
        self._channel = _Channel()
        self._away = False

    # --- actions at it -----------------------------------------------------------------------------------------------

    def swipe(self, card: int, facility: int = 0, bits: int = 26) -> None:
        """Show a card."""
        self.swipe_raw(encode(card, facility, bits), bits)

    def swipe_raw(self, octets: bytes, bits: int) -> None:
        """Show a card with these bits, valid or not."""
        self._report(
            {
                "event": library.EVENT_CARD,
                "reader_no": 0,
                "format": library.WIEGAND,
                "direction": 0,
                "length": bits,
                "data": octets,
            }
        )

    def press(self, digits: str) -> None:
        """Press keys: digits, ``*`` and ``#``."""
        octets = bytes({"*": 0x7F, "#": 0x0D}.get(digit, ord(digit)) for digit in digits)
        self._report({"event": library.EVENT_KEYS, "reader_no": 0, "data": octets})

    def tamper(self, *, active: bool = True) -> None:
        """Open its housing, or close it."""
        self._local[0] = active
        self._report_states(library.LOCAL, self._local)

    def power(self, *, failed: bool = True) -> None:
        """Cut its power supply, or restore it."""
        self._local[1] = failed
        self._report_states(library.LOCAL, self._local)

    def contact(self, *, open: bool) -> None:  # noqa: A002 - the word of the doors
        """Open or close the door it is wired to."""
        self.input(0, int(open))

    def rex(self) -> None:
        """Press and release the exit button."""
        self.input(1, 1)
        self.input(1, 0)

    def input(self, which: int, state: int) -> None:
        """Set an input: 0 off, 1 on, 2 and above: cut or short of a supervised line."""
        self._inputs[which] = state
        self._report_states(library.INPUT, self._inputs)

    def offline(self) -> None:
        """Stop answering, as with its cable pulled; it has stopped when this returns."""
        assert self.line is not None
        self.line.do_and_wait(lambda: setattr(self, "_away", True))

    def online(self, *, restarted: bool = False) -> None:
        """Answer again. ``restarted``: after a power failure, without channel and queue."""

        def answer() -> None:
            self._away = False
            if restarted:
                self._make()

        assert self.line is not None
        self.line.do_and_wait(answer)

    # --- its visible state -------------------------------------------------------------------------------------------

    def unlocked(self, output: int = 0) -> bool:
        """Return whether a strike is released now."""
        return time.monotonic() < self._until[output]

    def wait(self, wanted: Callable[[Sequence[ReceivedCommand]], bool], timeout: float = 10.0) -> bool:
        """Wait until the received commands satisfy *wanted*; return whether they did in time."""
        with self._received:
            return self._received.wait_for(lambda: wanted(self.heard), timeout)

    def times(self, kind: str) -> int:
        """Return the number of received commands of this kind."""
        return sum(command.kind == kind for command in self.heard)

    @property
    def address(self) -> str:
        """The address at which a panel reaches it."""
        assert self.line is not None
        return self.line.address(self)

    # --- in the thread of its line -----------------------------------------------------------------------------------

    def serve(self, frame: bytes | None) -> bytes:
        """Process a command, or only the timers; return the bytes to send."""
        if self._away:
            return b""
        if self._device is None:
            self._make()
        assert self._device is not None
        if frame is not None:
            self._channel.incoming += frame
        self._device.refresh()
        output, self._channel.outgoing = bytes(self._channel.outgoing), bytearray()
        return output

    def _make(self) -> None:
        if self._device is not None:
            self._device.close()
        self._channel = _Channel()
        flags = library.ENFORCE_SECURE if self._enforce and self.key else 0
        identity = ReaderIdentity(0xCAFE01, 1, 1, 1000 + self.number, 0x010203)
        peer = PeripheralSetup(self.number, self.key, flags)
        self._device = Peripheral(self._channel, peer, identity, self._declared, self._on_command)

    def _on_command(self, fields: Fields) -> Fields | None:
        kind = fields["command"]
        now = time.monotonic()
        if kind == library.OUTPUT_COMMAND:
            self._switch(fields, now)
        if kind == library.KEYSET_COMMAND:
            self.key = bytes(fields["data"])
        received = ReceivedCommand(COMMAND_KINDS.get(kind, "other"), fields, now)
        with self._received:
            self.heard.append(received)
            self._received.notify_all()
        if self.on_command is not None:
            self.on_command(received)
        return self._states(fields["type"]) if kind == library.STATUS_COMMAND else None

    def _switch(self, fields: Fields, now: float) -> None:
        """Switch an output by the codes of osdp_OUT: 1, 3 off; 2, 4 on; 5 on for a time (IEC 60839-11-5 section 6)."""
        lasts = {2: float("inf"), 4: float("inf"), 5: fields["timer_count"] / 10}
        self._until[fields["output_no"]] = now + lasts.get(fields["control_code"], 0.0)

    def _states(self, kind: int) -> Fields:
        """Return the answer to a status request.

        The binding has no such answer; but the bytes of a vendor command (vendor, data) have the layout of a report
        (type, number of entries, entries), and the binding accepts one.
        """
        states = self._local if kind == library.LOCAL else self._inputs
        report = len(states).to_bytes(4, sys.byteorder) + states
        return {"command": library.MAKER_COMMAND, "vendor_code": kind, "data": report}

    def _report_states(self, kind: int, states: bytearray) -> None:
        self._report({"event": library.EVENT_STATUS, "type": kind, "report": bytes(states)})

    def _report(self, event: Fields) -> None:
        assert self.line is not None, "the reader is on no line"
        self.line.do(lambda: self._device.submit(event) if self._device is not None else None)


class _Channel:
    """The channel of one peripheral: the frames its line passes to it."""

    def __init__(self) -> None:
        self.id = next_id()
        self.incoming = bytearray()
        self.outgoing = bytearray()

    def read(self, most: int) -> bytes:
        octets = bytes(self.incoming[:most])
        del self.incoming[:most]
        return octets

    def write(self, octets: bytes) -> int:
        self.outgoing += octets
        return len(octets)

    def flush(self) -> None:
        """Drop nothing: a command comes when the last one is answered."""


class ReaderLine:
    """A TCP port of loopback, or a pty, with readers on it. One panel at a time: the last one to connect.

    ``mangle`` may change the bytes to the panel, like noise on the line. ``address_prefix``: start of its addresses.
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
            self.address_prefix = f"osdp+serial://{os.ttyname(self._other_end)}?baud=115200#"
        else:
            self._listener = socket.create_server((host, port))
            self._listener.setblocking(False)
            self.address_prefix = f"osdp+tcp://{host}:{self._listener.getsockname()[1]}/"
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._woken.setblocking(False)

    def start(self) -> Self:
        """Start answering."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop, and close the line, whether it was started or not."""
        self.do(lambda: setattr(self, "_ending", True))
        self._thread.join() if self._thread.ident else self._close()
        self._wake.close()
        self._woken.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def address(self, reader: SoftwareReader) -> str:
        """Return the address of one of the readers."""
        return f"{self.address_prefix}{reader.number}"

    def hang_up(self) -> None:
        """Close the connection of the panel, as a restarting converter does."""
        self.do(self._hang_up)

    def do(self, act: Callable[[], object]) -> None:
        """Call *act* in the line's thread."""
        self._acts.put(act)
        with contextlib.suppress(OSError):  # it is awake already, or has ended
            self._wake.send(b"\0")

    def do_and_wait(self, act: Callable[[], object]) -> None:
        """Call *act* in the line's thread, and wait for it."""
        happened = threading.Event()
        self.do(act)
        self.do(happened.set)
        if threading.current_thread() is not self._thread:
            happened.wait(_IN_TIME)

    # --- its thread --------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        refreshed_at = 0.0
        while not self._ending:
            self._await()
            self._accept()
            self._answer(self._receive())
            now = time.monotonic()
            if now - refreshed_at >= _IDLE:
                refreshed_at = now
                for reader in self.readers.values():
                    self._send(reader.serve(None))
            while not self._acts.empty():
                self._acts.get()()
        self._close()

    def _await(self) -> None:
        waited = [self._woken, *(source for source in (self._listener, self._panel) if source is not None)]
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
                    octets = self._panel.recv(4096)
        except BlockingIOError:
            return b""
        except OSError:
            octets = b""
        if not octets:
            self._hang_up()
        return octets

    def _answer(self, octets: bytes) -> None:
        self._coming += octets
        while (frame := take(self._coming)) is not None:
            reader = self.readers.get(frame[1])  # a reply on the line has its high bit set, and matches no reader
            if reader is not None:
                self._send(reader.serve(frame))

    def _send(self, octets: bytes) -> None:
        if octets and self.mangle is not None:
            octets = self.mangle(octets)
        if not octets or self._panel is None:
            return
        with contextlib.suppress(OSError):  # the panel disconnected, or does not read
            if isinstance(self._panel, int):
                os.write(self._panel, octets)
            else:
                self._panel.sendall(octets)

    def _hang_up(self) -> None:
        self._coming.clear()
        if isinstance(self._panel, socket.socket):
            self._panel.close()
            self._panel = None

    def _close(self) -> None:
        self._hang_up()
        for descriptor in (self._panel, self._other_end):
            if isinstance(descriptor, int) and descriptor >= 0:
                os.close(descriptor)
        if self._listener is not None:
            self._listener.close()
