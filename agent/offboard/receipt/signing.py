"""The agent's signing key: one Ed25519 key in a file that only root may read, made when it is first needed.

Rules of this file: a key that others could read, or that is not a regular file of the agent, is refused. The key signs
plain bytes (RFC 8032, no prefix, no hash): any tool can check the signature. Sources: RFC 8032, RFC 8410.
"""

import contextlib
import hashlib
import os
import stat
import threading
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from agent.errors import RefusedError
from agent.runtime import ours
from rules.text import Message, Sentence, foreign
from rules.visible import visible

_LONGEST = 4096  # bytes of a key file; ours has 119


def key_path(home: Path) -> Path:
    """Return the key file of an agent."""
    return home / "agent-key.pem"


class Signer:
    """A key at work."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._public = key.public_key()

    @classmethod
    def at(cls, path: Path) -> "Signer":
        """Load the key in *path*, made with mode 0600 when it is missing. Raises :class:`RefusedError`."""
        try:
            pem = _read(path)
        except FileNotFoundError:
            _make(path)
            pem = _read(path)
        try:
            key = load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise _unusable(path, Message("receipt.key-encrypted")) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise _unusable(path, Message("receipt.not-ed25519-key"))
        return cls(key)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key as SubjectPublicKeyInfo in DER, in hexadecimal digits."""
        return _fingerprint(self._public)

    def public_pem(self) -> bytes:
        """Return the public key as PEM, for a checker."""
        return self._public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, payload: bytes) -> bytes:
        """Return the 64 bytes of the signature of *payload*."""
        return self._key.sign(payload)


def fingerprint_of(pem: bytes) -> str | None:
    """Return the fingerprint of a public key in PEM; ``None`` if it is not an Ed25519 public key."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return _fingerprint(key) if isinstance(key, Ed25519PublicKey) else None


def _fingerprint(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _read(path: Path) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unusable(path, foreign(error.strerror or "")) from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise _unusable(path, Message("receipt.key-file-not-regular"))
        if status.st_mode & 0o077:
            raise _unusable(path, Message("receipt.key-file-readable"))
        ours.check_folders(path)
        return os.read(fd, _LONGEST)
    except ours.OthersCanWriteError as error:
        raise _unusable(path, error.text) from error
    finally:
        os.close(fd)


def _make(path: Path) -> None:
    """Write a new key beside *path* and link it there: never half a key, never over another one."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    fresh = path.with_name(f".{path.name}.{threading.get_native_id()}")
    try:
        fresh.unlink(missing_ok=True)
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, pem)
            os.fsync(fd)
        finally:
            os.close(fd)
        with contextlib.suppress(FileExistsError):  # another process made one meanwhile: that one is the key
            path.hardlink_to(fresh)
        fresh.unlink()
        synced(path.parent)
    except OSError as error:
        raise _unusable(path, foreign(error.strerror or "")) from error


def synced(directory: Path) -> None:
    """Make the names in *directory* survive a loss of power. Raises :class:`OSError`."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _unusable(path: Path, reason: Sentence) -> RefusedError:
    key_file = visible(str(path))
    return RefusedError(
        Message("receipt.signing-key-unusable", path=key_file, reason=reason),
        Message("receipt.replace-signing-key"),
    )
