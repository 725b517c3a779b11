"""The one way into libosdp: its C module ``osdp_sys``, made safe to hold.

Rules of this file, each for a fault of libosdp 3.2.9 that was measured:
- nothing else imports ``osdp_sys``. The Python classes around it, ``osdp``, are not used: their event queue is never
  emptied, they print to standard output, and their lock stands still for ever when a handler submits a command;
- no context is made and none goes on without a fresh seed (:mod:`agent.doors.osdp.seeding`);
- a context belongs to one thread, callbacks included, so it has no lock;
- a callback takes what it is given and empties it, because libosdp loses one reference to every event;
- a context is closed: it holds its callbacks in a way the garbage collector cannot see;
- the C log goes to standard error and only emergencies get there.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import osdp_sys  # type: ignore[import-not-found]

from agent.doors.osdp.seeding import reaches, reseed
from agent.errors import RefusedError
from rules.text import Text

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

Fields = dict[str, Any]  # what libosdp takes and gives: one event or one command

_INCREMENT = ctypes.PYFUNCTYPE(None, ctypes.py_object)(("Py_IncRef", ctypes.pythonapi))

# The library's log begins on standard output; setting a level moves it to standard error (measured).
osdp_sys.set_loglevel(osdp_sys.LOG_EMERG)


class LibraryChannel(Protocol):
    """What libosdp asks of a line. Nothing here waits, and nothing here raises: libosdp's thread would end of it."""

    id: int  # not 0, and another for every bus: equal ones are one bus to libosdp

    def read(self, most: int) -> bytes:
        """Return what has come, at most so many bytes."""

    def write(self, data: bytes) -> int:
        """Send; return how many bytes went, ``-1`` when the line is down."""

    def flush(self) -> None:
        """Forget what has come."""


class PeripheralSetup(NamedTuple):
    """A reader to be in a panel: its OSDP address, the key of its Secure Channel, how it is to be treated."""

    number: int
    key: bytes | None
    flags: int = ENFORCE_SECURE


@dataclass(frozen=True, slots=True)
class ReaderIdentity:
    """What a reader says it is (osdp_PDID). libosdp gives the numbers signed; these are as the reader sent them."""

    vendor: int
    model: int
    version: int
    serial: int
    firmware: int


class Panel:
    """A control panel over one channel. For one thread.

    ``on_event(index, fields)`` and ``on_done(index, command, ok)`` are called from within :meth:`refresh` and
    :meth:`flush`; they may not raise. Raises :class:`RefusedError` when there is no randomness or libosdp does not take
    it.
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
        self.events = 0  # how many came: each is a reference lost
        self._on_event = on_event
        self._on_done = on_done
        self._panel.set_event_callback(self._event)
        self._panel.set_command_completion_callback(self._done)

    def refresh(self) -> None:
        """Go on by one step: every 5 ms or so, at least every 50.

        Raises :class:`RefusedError` when nothing can be seeded.

        Any other exception is a fault of libosdp or of the channel: the panel is to be closed and made again.
        """
        reseed()
        self._panel.refresh()

    def masks(self) -> tuple[int, int]:
        """Return who is online and whose Secure Channel is up (never with the default key), bit *n* for index *n*."""
        return self._panel.status(), self._panel.sc_status()

    def submit(self, index: int, command: Fields) -> bool:
        """Queue a command; whether it was taken. It must be one of :mod:`agent.doors.osdp.command`."""
        return bool(self._panel.submit_command(index, command))

    def flush(self, index: int) -> None:
        """Drop what was submitted and has not gone out; ``on_done`` says so for each."""
        self._panel.flush_commands(index)

    def disable(self, index: int) -> None:
        """Ask libosdp to let go of a reader. It does so within a few steps: see :meth:`enabled`."""
        self._panel.disable_pd(index)

    def enable(self, index: int) -> None:
        """Begin with a reader anew, from the first command on."""
        self._panel.enable_pd(index)

    def enabled(self, index: int) -> bool:
        """Return whether libosdp still cares for a reader."""
        return bool(self._panel.is_pd_enabled(index))

    def capability(self, index: int, code: int) -> tuple[int, int]:
        """Return the level and the number of items a reader declared for *code*; ``(0, 0)``: none."""
        level, items = self._panel.check_capability(index, code)
        return level, items

    def identity(self, index: int) -> ReaderIdentity:
        """Return what a reader said it is; zeros before it said anything."""
        said = {name: value & 0xFFFF_FFFF for name, value in self._panel.get_pd_id(index).items()}
        names = ("vendor_code", "model", "version", "serial_number", "firmware_version")
        return ReaderIdentity(*(said[name] for name in names))

    def close(self) -> None:
        """Let go of everything. Nothing is called back any more."""
        panel = self._panel
        panel.set_event_callback(_nothing)
        panel.set_command_completion_callback(_nothing)
        del self._panel, self._on_event, self._on_done

    def _event(self, index: int, fields: Fields) -> int:
        self.events += 1
        taken = dict(fields)
        fields.clear()  # what libosdp loses a reference to shall at least be small
        self._on_event(index, taken)
        return 0

    def _done(self, index: int, fields: Fields, status: int) -> None:
        self._on_done(index, fields["command"], status == osdp_sys.COMPLETION_OK)


class Peripheral:
    """A reader as libosdp plays it, for the simulator. For one thread. ``on_command`` returns the answer's fields."""

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
        declared = [dict(zip(names, one, strict=True)) for one in capabilities]
        self._reader = osdp_sys.PeripheralDevice(described, capabilities=declared)
        self._on_command = on_command
        self._reader.set_command_callback(self._command)

    def refresh(self) -> None:
        """Take one command from the channel, if there is one, and answer it."""
        reseed()
        self._reader.refresh()

    def submit(self, event: Fields) -> None:
        """Queue an event: the answer to one of the next polls, whenever that comes."""
        self._reader.submit_event(event)

    @property
    def secure(self) -> bool:
        """Whether a Secure Channel is up."""
        return bool(self._reader.is_sc_active())

    def close(self) -> None:
        """Let go of everything."""
        reader = self._reader
        reader.set_command_callback(_nothing)
        del self._reader, self._on_command

    def _command(self, fields: Fields) -> tuple[int, Fields | None]:
        answer = self._on_command(fields)
        # libosdp keeps the tuple for ever and drops a reference to what is in it: hence a new tuple each time, or None
        # itself would be freed after some thousand commands; and one reference more to what such a tuple still holds.
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


def _nothing(*_given: object) -> tuple[int, None]:
    return -1, None


def _not_taken() -> RefusedError:
    return RefusedError(Text("libosdp does not take these readers", "libosdp 无法接受这些读卡器的设置"))


if not reaches(osdp_sys.__file__):
    raise RefusedError(
        Text(
            "this libosdp draws its nonces from where they cannot be seeded, so no reader is talked to",
            "此 libosdp 的随机数来源无法设定种子，因此不与任何读卡器通信",
        ),
        Text("install the version the lock file names", "请安装锁定文件中指定的版本"),
    )
