"""Simulated readers and the panel side, over the real protocol; and frames made by hand, for what an attacker sends."""

import secrets
import threading
import time
from binascii import crc_hqx
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from agent.doors.address import OsdpSerial, OsdpTcp, parse
from agent.doors.messages import Online
from agent.doors.osdp.buses import OsdpBuses
from agent.doors.osdp.liveness import Pace
from agent.doors.osdp.plan import ReaderPlan
from agent.simulator.osdp_reader import SoftwareReader
from rules.text import Text

PATIENCE = 30.0
PACE = Pace(quarantine=0.4, first=0.2, patience=1.2, each=0.1, commissioning=1.5)
_Word = TypeVar("_Word")


class Heard:
    """What was said and answered, to be waited for."""

    def __init__(self) -> None:
        self.words: list[Any] = []
        self.answers: list[tuple[str, bool, Text | None]] = []
        self._changed = threading.Condition()

    def __call__(self, word: object) -> None:
        with self._changed:
            self.words.append(word)
            self._changed.notify_all()

    def answer(self, name: str) -> Callable[[bool, Text | None], None]:
        def told(ok: bool, why: Text | None) -> None:
            with self._changed:
                self.answers.append((name, ok, why))
                self._changed.notify_all()

        return told

    def wait(self, wanted: Callable[["Heard"], object], timeout: float = PATIENCE) -> None:
        with self._changed:
            found = self._changed.wait_for(lambda: wanted(self), timeout)
            assert found, f"heard only {self.words[-40:]}, {self.answers}"

    def all(self, kind: type[_Word], **fields: object) -> list[_Word]:
        return [
            word
            for word in list(self.words)
            if isinstance(word, kind) and all(getattr(word, name) == value for name, value in fields.items())
        ]

    def answered(self, name: str) -> tuple[bool, Text | None]:
        self.wait(lambda heard: any(one[0] == name for one in heard.answers))
        return next((ok, why) for one, ok, why in self.answers if one == name)

    def online(self, *readers: SoftwareReader, online: bool = True) -> None:
        """Wait until each of the readers was last said to be so."""
        for reader in readers:
            address = reader.address
            self.wait(
                lambda heard, address=address: [w.online for w in heard.all(Online, address=address)][-1:] == [online]
            )


def becomes(wanted: Callable[[], object], timeout: float = PATIENCE) -> bool:
    """Wait for what nobody announces."""
    until = time.monotonic() + timeout
    while not wanted() and time.monotonic() < until:
        time.sleep(0.01)
    return bool(wanted())


def new_key() -> bytes:
    return secrets.token_bytes(16)


def plan(reader: SoftwareReader, *keys: bytes, door: str = "", side: str = "in", wired: bool = True) -> ReaderPlan:
    address = parse(reader.address)
    assert isinstance(address, OsdpTcp | OsdpSerial)
    return ReaderPlan(address, door or f"door-{reader.number}", side, keys or (reader.key,), wired)  # type: ignore[arg-type]


@contextmanager
def serving(plans: Sequence[ReaderPlan] = (), pace: Pace = PACE) -> Iterator[tuple[OsdpBuses, Heard]]:
    heard = Heard()
    buses = OsdpBuses(heard, pace=pace)
    buses.start()
    try:
        buses.configure(plans)
        yield buses, heard
    finally:
        buses.stop()


def after_quarantine(heard: Heard, reader: SoftwareReader) -> None:
    """Wait until what the reader sends counts as fresh."""
    heard.online(reader)
    time.sleep(PACE.quarantine + 0.05)  # the quarantine is a span of time and nothing else


def frame(number: int, sequence: int, block: bytes, code: int, data: bytes = b"", *, reply: bool = True) -> bytes:
    """Return a frame with a right CRC and no MAC. *block*: the security block, or nothing."""
    body = block + bytes([code]) + data
    head = bytes([0x53, number | (0x80 if reply else 0)])
    length = 5 + len(body) + 2
    whole = head + length.to_bytes(2, "little") + bytes([sequence | 4 | (8 if block else 0)]) + body
    return whole + crc_hqx(whole, 0x1D0F).to_bytes(2, "little")
