"""Plan of the OSDP readers, as configured for the doors process.

Rules of this file: pure. A bus is one line: at most 32 readers, each with its own address and its own keys. An invalid
plan is refused as a whole, before any line is touched.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agent.doors.address import Osdp, OsdpSerial
from agent.doors.messages import Side
from agent.doors.osdp.library import MOST_READERS
from agent.errors import RefusedError
from rules.text import Message
from rules.visible import visible

KEY_BYTES = 16  # of a Secure Channel base key (AES-128)
DEFAULT_KEY = bytes(range(0x30, 0x40))  # SCBK-D, publicly known; IEC 60839-11-5 annex D


@dataclass(frozen=True, slots=True)
class ReaderPlan:
    """One reader. ``keys``: to be tried in this order, more than one after an interrupted key change.

    ``wired``: the strike, the door contact (input 0, on when open) and the exit button (input 1) are wired to it.
    """

    address: Osdp
    door: str
    side: Side
    keys: tuple[bytes, ...] = field(repr=False)
    wired: bool = False

    @property
    def number(self) -> int:
        """Its OSDP address."""
        return self.address.reader


def by_line(readers: Iterable[ReaderPlan]) -> Mapping[str, tuple[ReaderPlan, ...]]:
    """Return the readers of each line, in the order of their numbers.

    Raises :class:`RefusedError` with the reason.
    """
    lines: dict[str, dict[int, ReaderPlan]] = {}
    ports: dict[str, str] = {}
    for reader in readers:
        reader_name = visible(str(reader.address))
        line = reader.address.line
        if isinstance(reader.address, OsdpSerial) and ports.setdefault(reader.address.device, line) != line:
            raise RefusedError(Message("doors.port-speed-conflict", reader=reader_name))
        check_keys(reader_name, reader.keys)
        on_line = lines.setdefault(line, {})
        if reader.number in on_line:
            raise RefusedError(Message("doors.reader-duplicate", reader=reader_name))
        on_line[reader.number] = reader
        if len(on_line) > MOST_READERS:
            raise RefusedError(
                Message("doors.line-full", most_readers=MOST_READERS, reader=reader_name),
                Message("doors.split-line"),
            )
    _distinct(reader for on_line in lines.values() for reader in on_line.values())
    return {line: tuple(plans[number] for number in sorted(plans)) for line, plans in lines.items()}


def check_keys(reader: str, keys: tuple[bytes, ...]) -> None:
    """Raise :class:`RefusedError` unless *keys* are valid for *reader*: the default key never is."""
    if not keys:
        raise RefusedError(
            Message("doors.reader-without-key", reader=reader),
            Message("doors.commission-reader-first"),
        )
    for key in keys:
        if len(key) != KEY_BYTES or key == DEFAULT_KEY or len(set(key)) == 1:
            raise RefusedError(Message("doors.reader-key-invalid", reader=reader))


def _distinct(readers: Iterable[ReaderPlan]) -> None:
    """Refuse one key for two readers: whoever extracts it from one could impersonate the other."""
    owners: dict[bytes, Osdp] = {}
    for reader in readers:
        for key in set(reader.keys):
            if key in owners:
                first, second = visible(str(owners[key])), visible(str(reader.address))
                raise RefusedError(
                    Message("doors.reader-key-shared", first=first, second=second),
                    Message("doors.recommission-one-reader"),
                )
            owners[key] = reader.address
