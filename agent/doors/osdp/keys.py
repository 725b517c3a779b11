"""Key store: the Secure Channel keys of the readers, in one file only root can read.

    begin:   a new random key beside the old one, durable   → only then is it sent to the reader
    settle:  the reader answered with one of them           → the other is deleted

Rules of this file: standard library only, for the control process. Every reader has a key of its own. A key is never
lost between reader and file: after any interruption both candidates are kept and both are tried. The file is replaced
as a whole, and rejected when others could have read or written it.
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
from rules.text import Message

_BYTES: Final = 16
_LARGEST: Final = 1 << 20


def fingerprint(key: bytes) -> str:
    """Return the fingerprint of a key, which does not reveal it: 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(key).hexdigest()[:16]


class KeyStore:
    """The key file. One process uses it; it is read and written as a whole at each call."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def candidates(self, address: str) -> tuple[bytes, ...]:
        """Return the keys the reader may have, the proven one first; none for an unknown reader.

        Raises :class:`RefusedError`.
        """
        return self._read().get(address, ())

    def all(self) -> Mapping[str, tuple[bytes, ...]]:
        """Return the keys of every reader. Raises :class:`RefusedError`."""
        return self._read()

    def begin(self, address: str) -> bytes:
        """Return a new key, stored durably beside the proven one, so that it may be sent.

        Raises :class:`RefusedError`: then there is no new key. Also while a key change is unconfirmed, because a third
        key would replace one the reader may have.
        """
        keys = dict(self._read())
        before = keys.get(address, ())
        if len(before) > 1:
            raise RefusedError(
                Message("doors.key-change-unconfirmed", address=address),
                Message("doors.bring-reader-online"),
            )
        fresh = secrets.token_bytes(_BYTES)
        self._write({**keys, address: (*before, fresh)})
        return fresh

    def settle(self, address: str, proven: str) -> bool:
        """Keep only the key with the fingerprint *proven*, which the reader used; return whether it is known."""
        keys = dict(self._read())
        for key in keys.get(address, ()):
            if fingerprint(key) == proven:
                if keys[address] != (key,):
                    self._write({**keys, address: (key,)})
                return True
        return False

    def drop(self, address: str) -> None:
        """Delete the keys of a reader."""
        keys = dict(self._read())
        if keys.pop(address, None):
            self._write(keys)

    def _read(self) -> Mapping[str, tuple[bytes, ...]]:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._unusable(Message("common.given", text=error.strerror or "")) from error
        with open(descriptor, "rb") as source:
            status = os.fstat(source.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
                raise self._unusable(Message("receipt.key-file-not-regular"))
            if status.st_mode & 0o077:
                raise self._unusable(Message("doors.key-file-exposed"))
            text = source.read(_LARGEST + 1)
        try:
            return _understood(json.loads(text))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise self._unusable(Message("doors.key-file-damaged")) from error

    def _write(self, keys: Mapping[str, tuple[bytes, ...]]) -> None:
        text = json.dumps(
            {address: [key.hex() for key in candidates] for address, candidates in sorted(keys.items())}, indent=1
        )
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
            raise self._unusable(Message("common.given", text=error.strerror or "")) from error

    def _unusable(self, reason: Message) -> RefusedError:
        return RefusedError(
            Message("doors.key-file-rejected", path=self._path, reason=reason),
            Message("doors.restore-key-file"),
        )


def _understood(stored: Mapping[str, list[str]]) -> Mapping[str, tuple[bytes, ...]]:
    keys = {address: tuple(bytes.fromhex(key) for key in listed) for address, listed in stored.items()}
    if any(
        not 1 <= len(candidates) <= 2 or any(len(key) != _BYTES for key in candidates) for candidates in keys.values()
    ):
        raise ValueError("not keys")
    return keys


def _synced(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
