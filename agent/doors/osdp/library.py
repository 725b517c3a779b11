"""Safe wrapper of libosdp's C module ``osdp_sys``; its only importer.

Rules of this file, each for a fault of libosdp 3.2.9 that was measured:
- nothing else imports ``osdp_sys``. The Python classes around it, ``osdp``, are not used: their event queue is never
  emptied, they print to standard output, and their lock deadlocks when a handler submits a command;
- no context is created or stepped without a fresh seed (:mod:`agent.doors.osdp.seeding`);
- a context belongs to one thread, callbacks included, so it has no lock;
- a callback copies and then empties its argument, because libosdp leaks one reference to every event;
- a context must be closed: it holds its callbacks in a way the garbage collector cannot see;
- the C log goes to standard error, emergencies only.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import osdp_sys  # type: ignore[import-not-found]

from agent.doors.osdp.seeding import reaches, reseed
from agent.errors import RefusedError
from rules.text import Message

MOST_READERS: Final = 32  # of one panel: libosdp writes past the end of its status mask with more

ENFORCE_SECURE: Final[int] = osdp_sys.FLAG_ENFORCE_SECURE
INSTALL_MODE: Final[int] = osdp_sys.FLAG_INSTALL_MODE

EVENT_CARD: Final[int] = osdp_sys.EVENT_CARDREAD
EVENT_KEYS: Final[int] = osdp_sys.EVENT_KEYPRESS
EVENT_STATUS: Final[int] = osdp_sys.EVENT_STATUS
LOCAL: Final[int] = osdp_sys.STATUS_REPORT_LOCAL
INPUT: Final[int] = osdp_sys.STATUS_REPORT_INPUT
REMOTE: Final[int] = osdp_sys.STATUS_REPORT_REMOTE

OUTPUT_COMMAND: Final[int] = osdp_sys.CMD_OUTPUT
LED_COMMAND: Final[int] = osdp_sys.CMD_LED
BUZZER_COMMAND: Final[int] = osdp_sys.CMD_BUZZER
TEXT_COMMAND: Final[int] = osdp_sys.CMD_TEXT
KEYSET_COMMAND: Final[int] = osdp_sys.CMD_KEYSET
STATUS_COMMAND: Final[int] = osdp_sys.CMD_STATUS
MAKER_COMMAND: Final[int] = osdp_sys.CMD_MFG

INPUTS: Final[int] = osdp_sys.CAP_CONTACT_STATUS_MONITORING
OUTPUTS: Final[int] = osdp_sys.CAP_OUTPUT_CONTROL
LIGHTS: Final[int] = osdp_sys.CAP_READER_LED_CONTROL
SOUNDS: Final[int] = osdp_sys.CAP_READER_AUDIBLE_OUTPUT
DISPLAYS: Final[int] = osdp_sys.CAP_READER_TEXT_OUTPUT
CARD_FORMATS: Final[int] = osdp_sys.CAP_CARD_DATA_FORMAT
SECURITY: Final[int] = osdp_sys.CAP_COMMUNICATION_SECURITY

WIEGAND: Final[int] = osdp_sys.CARD_FMT_RAW_WIEGAND

Fields = dict[str, Any]  # of libosdp: one event or one command

_INCREMENT = ctypes.PYFUNCTYPE(None, ctypes.py_object)(("Py_IncRef", ctypes.pythonapi))

# The library's log begins on standard output; setting a level moves it to standard error (measured).
osdp_sys.set_loglevel(osdp_sys.LOG_EMERG)


class LibraryChannel(Protocol):
    """The interface libosdp needs of a line. It must neither block nor raise: that would end libosdp's thread."""

    id: int  # not 0, and another for every bus: equal ones are one bus to libosdp

    def read(self, most: int) -> bytes:
        """Return received bytes, at most *most*."""

    def write(self, frame: bytes) -> int:
        """Send; return the number of bytes sent, ``-1`` when the line is down."""

    def flush(self) -> None:
        """Discard received bytes."""


class PeripheralSetup(NamedTuple):
    """A reader of a panel: its OSDP address, the key of its Secure Channel, and its flags."""

    number: int
    key: bytes | None
    flags: int = ENFORCE_SECURE


@dataclass(frozen=True, slots=True)
class ReaderIdentity:
    """The identity a reader reports (osdp_PDID). libosdp gives signed numbers; these are as the reader sent them."""

    vendor: int
    model: int
    version: int
    serial: int
    firmware: int


class Panel:
    """A control panel over one channel. For one thread.

    ``on_event(index, fields)`` and ``on_done(index, command, ok)`` are called from within :meth:`refresh` and
    :meth:`flush`; they must not raise. Raises :class:`RefusedError` without randomness, or when libosdp rejects the
    settings.
    """

    def __init__(
        self,
        channel: LibraryChannel,
        peers: Sequence[PeripheralSetup],
        on_event: Callable[[int, Fields], None],
        on_done: Callable[[int, int, bool], None],
    ) -> None:
        assert 0 < len(peers) <= MOST_READERS
        assert channel.id != 0
        reseed()
        try:
            self._panel = osdp_sys.ControlPanel([_described(channel, peer) for peer in peers])
        except Exception as error:  # the extension raises its bare ``Exception`` for every cause
            raise _not_taken() from error
        self.events = 0  # received so far: each leaks a reference
        self._on_event = on_event
        self._on_done = on_done
        self._panel.set_event_callback(self._event)
        self._panel.set_command_completion_callback(self._completed)

    def refresh(self) -> None:
        """Run one step: every 5 ms or so, at least every 50.

        Raises :class:`RefusedError` without randomness.

        Any other exception is a fault of libosdp or of the channel: the panel must be closed and recreated.
        """
        reseed()
        self._panel.refresh()

    def masks(self) -> tuple[int, int]:
        """Return masks of readers online and with Secure Channel (never the default key), bit *n* for index *n*."""
        return self._panel.status(), self._panel.sc_status()

    def submit(self, index: int, command: Fields) -> bool:
        """Queue a command of :mod:`agent.doors.osdp.command`; return whether libosdp accepted it."""
        return bool(self._panel.submit_command(index, command))

    def flush(self, index: int) -> None:
        """Drop submitted commands that are unsent; ``on_done`` is called for each."""
        self._panel.flush_commands(index)

    def disable(self, index: int) -> None:
        """Ask libosdp to release a reader. It does so within a few steps: see :meth:`enabled`."""
        self._panel.disable_pd(index)

    def enable(self, index: int) -> None:
        """Restart a reader, from the first command on."""
        self._panel.enable_pd(index)

    def enabled(self, index: int) -> bool:
        """Return whether libosdp still serves a reader."""
        return bool(self._panel.is_pd_enabled(index))

    def capability(self, index: int, code: int) -> tuple[int, int]:
        """Return the level and the number of items a reader declared for *code*; ``(0, 0)``: none."""
        level, items = self._panel.check_capability(index, code)
        return level, items

    def identity(self, index: int) -> ReaderIdentity:
        """Return the identity a reader reported; zeros before that."""
        numbers = {name: number & 0xFFFF_FFFF for name, number in self._panel.get_pd_id(index).items()}
        names = ("vendor_code", "model", "version", "serial_number", "firmware_version")
        return ReaderIdentity(*(numbers[name] for name in names))

    def close(self) -> None:
        """Release the panel. No callback is called any more."""
        panel = self._panel
        panel.set_event_callback(_nothing)
        panel.set_command_completion_callback(_nothing)
        del self._panel, self._on_event, self._on_done

    def _event(self, index: int, fields: Fields) -> int:
        self.events += 1
        taken = dict(fields)
        fields.clear()  # libosdp leaks a reference to it: keep the leak small
        self._on_event(index, taken)
        return 0

    def _completed(self, index: int, fields: Fields, status: int) -> None:
        self._on_done(index, fields["command"], status == osdp_sys.COMPLETION_OK)


class Peripheral:
    """A reader simulated by libosdp. For one thread. ``on_command`` returns the fields of the answer."""

    def __init__(
        self,
        channel: LibraryChannel,
        peer: PeripheralSetup,
        identity: ReaderIdentity,
        capabilities: Sequence[tuple[int, int, int]],
        on_command: Callable[[Fields], Fields | None],
    ) -> None:
        reseed()
        described = _described(channel, peer) | {
            "vendor_code": identity.vendor,
            "model": identity.model,
            "version": identity.version,
            "serial_number": identity.serial,
            "firmware_version": identity.firmware,
        }
        names = ("function_code", "compliance_level", "num_items")
        declared = [dict(zip(names, capability, strict=True)) for capability in capabilities]
        self._reader = osdp_sys.PeripheralDevice(described, capabilities=declared)
        self._on_command = on_command
        self._reader.set_command_callback(self._command)

    def refresh(self) -> None:
        """Read one command from the channel, if any, and answer it."""
        reseed()
        self._reader.refresh()

    def submit(self, event: Fields) -> None:
        """Queue an event as the answer to one of the next polls."""
        self._reader.submit_event(event)

    @property
    def secure(self) -> bool:
        """Whether a Secure Channel is up."""
        return bool(self._reader.is_sc_active())

    def close(self) -> None:
        """Release the reader."""
        reader = self._reader
        reader.set_command_callback(_nothing)
        del self._reader, self._on_command

    def _command(self, fields: Fields) -> tuple[int, Fields | None]:
        answer = self._on_command(fields)
        # libosdp never frees the tuple and drops a reference to its content: hence a new tuple each time, or None
        # itself would be freed after some thousand commands; and one more reference to the content of such a tuple.
        if answer is not None:
            _INCREMENT(answer)
        return tuple([0, answer])  # type: ignore[return-value]  # noqa: C409 - a literal would be one constant


def _described(channel: LibraryChannel, peer: PeripheralSetup) -> Fields:
    return {
        "name": f"reader-{peer.number}",
        "address": peer.number,
        "flags": peer.flags,
        "scbk": peer.key,
        "channel": channel,
    }


def _nothing(*_arguments: object) -> tuple[int, None]:
    return -1, None


def _not_taken() -> RefusedError:
    return RefusedError(Message("doors.libosdp-rejected-readers"))


if not reaches(osdp_sys.__file__):
    raise RefusedError(
        Message("doors.libosdp-not-seedable"),
        Message("doors.install-locked-libosdp"),
    )
