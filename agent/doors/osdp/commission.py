"""Commissioning: installation of a reader's first key, the only exchange without an enforced Secure Channel.

Rules of this file: it uses a panel of its own, for one reader, for some seconds, and forwards nothing from that reader.
The key is sent under the publicly known installation key (SCBK-D), because the standard has no other way: whoever taps
the line at that moment learns the key, so this belongs on a bench or a line without other access. A reader that does
not accept the installation key has a key already and is refused: it would have to be reset by hand.
"""

from agent.doors.osdp.channel import OsdpChannel
from agent.doors.osdp.frames import CCRYPT, NAK
from agent.doors.osdp.library import Fields, Panel, PeripheralSetup
from rules.text import Message

KEEPS = Message("doors.installation-key-refused")
SILENT = Message("doors.reader-does-not-answer")
INCAPABLE = Message("doors.no-secure-channel")


class Installation:
    """Installation of *key* (16 random bytes) on one reader, at most *until* then. For the thread of its bus."""

    def __init__(self, channel: OsdpChannel, number: int, key: bytes, until: float) -> None:
        self._channel = channel
        self._number = number
        self._until = until
        channel.answered.pop(number, None)
        self._panel = Panel(channel, [PeripheralSetup(number, key, flags=0)], _ignore_event, _ignore_done)
        self._challenged = False

    def step(self, now: float) -> tuple[bool, Message | None] | None:
        """Run one step. Return whether the reader has the key, and why not; ``None`` while that is open."""
        self._panel.refresh()
        online, secure = self._panel.masks()
        answer = self._channel.answered.get(self._number)
        self._challenged |= answer is not None and answer.code in (CCRYPT, NAK)
        if online and secure:  # libosdp reports secure only for the key passed in, never for the default one
            return True, None
        if online:  # libosdp gave up on both keys and would go on in clear
            return False, KEEPS if self._challenged else INCAPABLE
        if now >= self._until:
            return False, SILENT if answer is None else KEEPS
        return None

    def close(self) -> None:
        """End the installation, complete or not."""
        self._panel.close()


def _ignore_event(_index: int, _fields: Fields) -> None:
    """Ignore events of a reader that is being commissioned."""


def _ignore_done(_index: int, _command: int, _ok: bool) -> None:  # noqa: FBT001 - the panel's shape
    """Ignore completions: libosdp sends the key by itself; the panel's masks show whether it was accepted."""
