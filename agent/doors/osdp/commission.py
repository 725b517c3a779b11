"""Giving a reader its first key: the one moment at which a panel talks to it without enforcing a Secure Channel.

Rules of this file: a panel of its own, for one reader, for some seconds, and nothing that reader says is passed on. The
key is sent under the installation key everybody knows (SCBK-D), because the standard has no other way: who taps the
line in that moment knows the key, so this belongs on a bench or a line nobody else is on. A reader that does not
accept the installation key has a key already, ours or another's, and is refused: it would have to be reset by hand.
"""

from agent.doors.osdp.channel import OsdpChannel
from agent.doors.osdp.frames import CCRYPT, NAK
from agent.doors.osdp.library import Fields, Panel, PeripheralSetup
from rules.text import Text

KEEPS = Text(
    "the reader does not accept the installation key: it has a key already, or is not in install mode",
    "读卡器不接受安装密钥：它已有密钥，或未处于安装模式",
)
SILENT = Text("the reader does not answer", "读卡器没有应答")
INCAPABLE = Text("the reader offers no Secure Channel", "读卡器不支持安全通道")


class Installation:
    """One reader being given *key* (16 random bytes) *until* then. For the thread of its bus, which is to itself."""

    def __init__(self, channel: OsdpChannel, number: int, key: bytes, until: float) -> None:
        self._channel = channel
        self._number = number
        self._until = until
        channel.answered.pop(number, None)
        self._panel = Panel(channel, [PeripheralSetup(number, key, flags=0)], _ignore_event, _ignore_done)
        self._challenged = False

    def step(self, now: float) -> tuple[bool, Text | None] | None:
        """Go on. Returns whether the reader has the key, and why not; ``None`` while that is open."""
        self._panel.refresh()
        online, secure = self._panel.masks()
        answer = self._channel.answered.get(self._number)
        self._challenged |= answer is not None and answer.code in (CCRYPT, NAK)
        if online and secure:  # libosdp says secure only of a channel under the key given, never the default one
            return True, None
        if online:  # it gave up on both keys and would go on in clear
            return False, KEEPS if self._challenged else INCAPABLE
        if now >= self._until:
            return False, SILENT if answer is None else KEEPS
        return None

    def close(self) -> None:
        """End it, done or not."""
        self._panel.close()


def _ignore_event(_index: int, _fields: Fields) -> None:
    """A reader being installed has nothing to say."""


def _ignore_done(_index: int, _command: int, _ok: bool) -> None:  # noqa: FBT001 - the panel's shape
    """libosdp sends the key by itself; the panel shows whether it was taken."""
