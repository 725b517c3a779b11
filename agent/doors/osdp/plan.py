"""Which OSDP readers there are, as the doors process is told.

Rules of this file: pure. A bus is one line: at most 32 readers, each with an address of its own and keys of its own.
What does not fit is refused as a whole, before anything is touched.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agent.doors.address import Osdp, OsdpSerial
from agent.doors.messages import Side
from agent.doors.osdp.library import MOST_READERS
from agent.errors import RefusedError
from rules.text import Text
from rules.visible import visible

KEY_BYTES = 16  # of a Secure Channel base key (AES-128)
DEFAULT_KEY = bytes(range(0x30, 0x40))  # SCBK-D, which everybody knows; IEC 60839-11-5 annex D


@dataclass(frozen=True, slots=True)
class ReaderPlan:
    """One reader. ``keys``: to be tried in this order, more than one after a rotation that was cut short.

    ``wired``: the strike, the door contact (input 0, on when open) and the exit button (input 1) hang on this one.
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

    Raises :class:`RefusedError` with what is wrong.
    """
    lines: dict[str, dict[int, ReaderPlan]] = {}
    ports: dict[str, str] = {}
    for reader in readers:
        where = visible(str(reader.address))
        line = reader.address.line
        if isinstance(reader.address, OsdpSerial) and ports.setdefault(reader.address.device, line) != line:
            raise RefusedError(
                Text(f"the port of `{where}` is given with two speeds", f"`{where}` 的串口设置了两种波特率")
            )
        check_keys(where, reader.keys)
        on_line = lines.setdefault(line, {})
        if reader.number in on_line:
            raise RefusedError(Text(f"the reader `{where}` is there twice", f"读卡器 `{where}` 重复"))
        on_line[reader.number] = reader
        if len(on_line) > MOST_READERS:
            raise RefusedError(
                Text(
                    f"more than {MOST_READERS} readers are on the line of `{where}`",
                    f"`{where}` 所在线路上的读卡器超过 {MOST_READERS} 台",
                ),
                Text("put some of them on another converter or port", "请将部分读卡器接到其他转换器或串口"),
            )
    _distinct(reader for on_line in lines.values() for reader in on_line.values())
    return {line: tuple(found[number] for number in sorted(found)) for line, found in lines.items()}


def check_keys(where: str, keys: tuple[bytes, ...]) -> None:
    """Raise :class:`RefusedError` unless *keys* can be those of the reader *where*: the default key never is one."""
    if not keys:
        raise RefusedError(
            Text(f"the reader `{where}` has no key", f"读卡器 `{where}` 没有密钥"),
            Text("commission it first", "请先为其写入密钥"),
        )
    for key in keys:
        if len(key) != KEY_BYTES or key == DEFAULT_KEY or len(set(key)) == 1:
            raise RefusedError(Text(f"the key of the reader `{where}` is none", f"读卡器 `{where}` 的密钥无效"))


def _distinct(readers: Iterable[ReaderPlan]) -> None:
    """Refuse one key for two readers: whoever opens one of them would speak for the other."""
    seen: dict[bytes, Osdp] = {}
    for reader in readers:
        for key in set(reader.keys):
            if key in seen:
                first, second = visible(str(seen[key])), visible(str(reader.address))
                raise RefusedError(
                    Text(f"`{first}` and `{second}` have the same key", f"`{first}` 与 `{second}` 使用同一密钥"),
                    Text("commission one of them anew", "请为其中一台重新写入密钥"),
                )
            seen[key] = reader.address
