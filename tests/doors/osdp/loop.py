"""A panel and a reader of libosdp in one thread, and whoever sits on the line between them."""

import time
from collections.abc import Callable

from agent.doors.osdp import library
from agent.doors.osdp.channel import OsdpChannel
from agent.doors.osdp.decode import encode
from agent.doors.osdp.frames import CHLNG, parse, take
from agent.doors.osdp.library import Panel, Peripheral, PeripheralSetup, ReaderIdentity
from agent.doors.osdp.transport import Wire

KEY = bytes(range(1, 17))
RAW = 0x50
FORGED = 0xBEEF
CARD = bytes([0, 1, 26, 0]) + encode(FORGED, 1)


class Loop(Wire):
    """A line to a reader in this very thread; ``seen``: what the panel wrote; ``forge`` may answer instead."""

    def __init__(self, number: int = 5, key: bytes = KEY) -> None:
        super().__init__()
        self.fault = None
        self.id = 10_000 + number
        self.seen: list[bytes] = []
        self.forge: Callable[[bytes], bytes | None] = lambda _command: None
        self.going = bytearray()
        self.coming = bytearray()
        self.device = Peripheral(
            self.Side(self),
            PeripheralSetup(number, key),
            ReaderIdentity(1, 1, 1, 1, 1),
            [(library.OUTPUTS, 1, 1)],
            lambda _fields: None,
        )

    class Side:
        """What the reader's libosdp reads and writes."""

        def __init__(self, loop: "Loop") -> None:
            self.id = loop.id
            self.loop = loop

        def read(self, most: int) -> bytes:
            data = bytes(self.loop.going[:most])
            del self.loop.going[:most]
            return data

        def write(self, data: bytes) -> int:
            self.loop.coming += data
            return len(data)

        def flush(self) -> None:
            pass

    @property
    def descriptor(self) -> int | None:
        return None

    def tick(self, now: float) -> None:
        pass

    def close(self) -> None:
        self.device.close()

    def flush(self) -> None:
        self.coming.clear()

    def write(self, data: bytes) -> int:
        self.seen.append(data)
        forged = self.forge(data)
        if forged is None:
            self.going += data
            self.device.refresh()
        else:
            self.coming += forged
        return len(data)

    def read(self, most: int = 4096) -> bytes:
        data = bytes(self.coming[:most])
        del self.coming[:most]
        return data


def nonce(loop: Loop) -> bytes:
    """Return RND.A of the last challenge."""
    for written in reversed(loop.seen):
        sent = take(bytearray(written)) or b""
        found = parse(sent)
        if found is not None and found.code == CHLNG:
            return sent[9:17]
    raise AssertionError("no challenge")


def run(panel: Panel, until: Callable[[], object], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        panel.refresh()
        time.sleep(0.001)
    return bool(until())


def session() -> str:
    """Bring one panel and one reader into a Secure Channel; return the nonces of the first and of a second channel."""
    loop = Loop()
    found = []
    for _ in range(2):
        panel = Panel(OsdpChannel(loop, on_fault), [PeripheralSetup(5, KEY)], lambda *_: None, lambda *_: None)
        assert run(panel, lambda panel=panel: panel.masks() == (1, 1))
        found.append(nonce(loop).hex())
        panel.close()
    return " ".join(found)


def on_fault(error: Exception) -> None:
    raise AssertionError(error)
