"""The Secure Channel keys of the readers, in one file only root can read.

    begin:   a new random key beside the old one, durable   → only then is it sent to the reader
    settle:  the reader answered under one of them          → the other is forgotten

Rules of this file: standard library only, for the control process. Every reader has a key of its own. A key is never
lost between reader and file: whatever is cut short, both candidates are kept and both are tried. The file is replaced
as a whole, and refused when others could have read or written it.
"""

import contextlib
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agent.errors import RefusedError
from rules.text import Text
from rules.visible import visible

_BYTES: Final = 16
_LARGEST: Final = 1 << 20


def fingerprint(key: bytes) -> str:
    """Return what names a key without giving it away: 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(key).hexdigest()[:16]


class KeyStore:
    """The file. One process has it; read and written as a whole at each call."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def candidates(self, address: str) -> tuple[bytes, ...]:
        """Return the keys the reader may have, the proven one first; none for a stranger.

        Raises :class:`RefusedError`.
        """
        return self._read().get(address, ())

    def all(self) -> Mapping[str, tuple[bytes, ...]]:
        """Return the keys of every reader. Raises :class:`RefusedError`."""
        return self._read()

    def begin(self, address: str) -> bytes:
        """Make a new key, keep it beside the proven one, and return it: it is durable, and may be sent.

        Raises :class:`RefusedError`: then there is no new key. Also when a rotation is open already, because a third
        key would push out one the reader may have.
        """
        keys = dict(self._read())
        before = keys.get(address, ())
        if len(before) > 1:
            raise RefusedError(
                Text(
                    f"the last change of the key of `{visible(address)}` has not been settled",
                    f"`{visible(address)}` 上一次更换密钥尚未确认",
                ),
                Text("bring the reader online; it settles which key it has", "请使读卡器上线，以确认其当前密钥"),
            )
        fresh = secrets.token_bytes(_BYTES)
        self._write({**keys, address: (*before, fresh)})
        return fresh

    def settle(self, address: str, proven: str) -> bool:
        """Take note that the reader answered under the key with the fingerprint *proven*; whether it is one of its."""
        keys = dict(self._read())
        for key in keys.get(address, ()):
            if fingerprint(key) == proven:
                if keys[address] != (key,):
                    self._write({**keys, address: (key,)})
                return True
        return False

    def drop(self, address: str) -> None:
        """Forget a reader."""
        keys = dict(self._read())
        if keys.pop(address, None):
            self._write(keys)

    def _read(self) -> Mapping[str, tuple[bytes, ...]]:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._unusable(visible(error.strerror or "")) from error
        with open(descriptor, "rb") as source:
            found = os.fstat(source.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                raise self._unusable("it is not a plain file of the agent", "不是本程序的普通文件")
            if found.st_mode & 0o077:
                raise self._unusable("others may read it", "其他用户可以读取")
            text = source.read(_LARGEST + 1)
        try:
            return _understood(json.loads(text))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise self._unusable("it is damaged", "文件已损坏") from error

    def _write(self, keys: Mapping[str, tuple[bytes, ...]]) -> None:
        text = json.dumps({address: [key.hex() for key in found] for address, found in sorted(keys.items())}, indent=1)
        fresh = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(descriptor, "w", encoding="utf-8") as target:
                target.write(text)
                target.flush()
                os.fsync(target.fileno())
            fresh.replace(self._path)
            _synced(self._path.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise self._unusable(visible(error.strerror or "")) from error

    def _unusable(self, en: str, zh: str | None = None) -> RefusedError:
        shown = visible(str(self._path))
        return RefusedError(
            Text(f"the readers' keys in `{shown}` are not used: {en}", f"不使用 `{shown}` 中的读卡器密钥：{zh or en}"),
            Text(
                "see that the file belongs to root with mode 0600, or restore it; lost keys mean resetting readers",
                "请确认文件属于 root 且权限为 0600，或从备份恢复；密钥丢失则须重置读卡器",
            ),
        )


def _understood(found: Mapping[str, list[str]]) -> Mapping[str, tuple[bytes, ...]]:
    keys = {address: tuple(bytes.fromhex(key) for key in listed) for address, listed in found.items()}
    if any(not 1 <= len(one) <= 2 or any(len(key) != _BYTES for key in one) for one in keys.values()):
        raise ValueError("not keys")
    return keys


def _synced(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
