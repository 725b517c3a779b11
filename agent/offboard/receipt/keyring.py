"""The public keys with which this agent has ever signed receipts, so that an old receipt can be verified.

    H/receipts/keys/FINGERPRINT.pem   one public key        H/receipts/keys/current   fingerprint of the signing key

Rules of this file: nothing here is secret, and nothing here signs. A public key is kept before the first receipt that
needs it, and is never removed. ``current`` distinguishes a lost or exchanged key from a first one.
"""

import contextlib
import json
import os
import threading
from pathlib import Path

from agent.errors import RefusedError
from agent.offboard.receipt.signing import Signer, fingerprint_of, key_path, synced
from rules.text import Message
from rules.visible import visible

_DIGITS = frozenset("0123456789abcdef")


class KeyRing:
    """The keys of the agent at *home*. Every method may raise :class:`RefusedError`."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder = home / "receipts" / "keys"

    @property
    def current(self) -> str | None:
        """The fingerprint of the key that signed until now; ``None``: none has been noted."""
        with _translate_disk_errors(self._folder), contextlib.suppress(FileNotFoundError):
            fingerprint = (self._folder / "current").read_text(encoding="ascii", errors="replace").strip()
            return fingerprint if _is_fingerprint(fingerprint) else None
        return None

    def present(self) -> Signer | None:
        """Return the present key; ``None``: there is no file. Nothing is created."""
        return Signer.at(key_path(self._home)) if os.path.lexists(key_path(self._home)) else None

    def keep(self, signer: Signer) -> None:
        """Keep the public half of *signer*; on the disk when this returns."""
        path = self._folder / f"{signer.fingerprint}.pem"
        if not path.exists():
            self._write(path, signer.public_pem())

    def adopt(self, signer: Signer) -> None:
        """Keep *signer*, and record that it signs from now on."""
        self.keep(signer)
        self._write(self._folder / "current", signer.fingerprint.encode() + b"\n")

    def public(self, fingerprint: str) -> bytes | None:
        """Return the public key of this fingerprint, even if it is no longer in use; ``None``: it was never ours."""
        if not _is_fingerprint(fingerprint):
            return None
        with _translate_disk_errors(self._folder), contextlib.suppress(FileNotFoundError):
            pem = (self._folder / f"{fingerprint}.pem").read_bytes()
            return pem if fingerprint_of(pem) == fingerprint else None
        return None

    def fingerprints(self) -> list[str]:
        """Return the fingerprints of all kept keys, in order."""
        with _translate_disk_errors(self._folder):
            return sorted(path.stem for path in self._folder.glob("*.pem") if _is_fingerprint(path.stem))

    def public_of(self, receipt: bytes) -> bytes:
        """Return the public key to check *receipt* with: the one it names if that was ever ours, else the present one.

        The receipt's statement is not trusted by that: it is checked against a key of ours in either case.
        """
        try:
            named = json.loads(receipt.split(b"\n")[1])["key"]
        except (ValueError, IndexError, KeyError, TypeError, RecursionError):
            named = ""
        public_key = self.public(named) if isinstance(named, str) else None
        return public_key or Signer.at(key_path(self._home)).public_pem()

    def _write(self, path: Path, contents: bytes) -> None:
        """Write *path* whole or not at all, replacing its contents."""
        with _translate_disk_errors(self._folder):
            self._folder.parent.mkdir(mode=0o700, exist_ok=True)
            self._folder.mkdir(mode=0o700, exist_ok=True)
            fresh = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_native_id()}")
            fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(contents)
                file.flush()
                os.fsync(fd)
            fresh.replace(path)
            synced(self._folder)
            synced(self._folder.parent)


def _is_fingerprint(text: str) -> bool:
    return len(text) == 64 and set(text) <= _DIGITS


class _translate_disk_errors(contextlib.AbstractContextManager[None]):  # noqa: N801 - a context manager
    """Translate disk errors into :class:`RefusedError`, except for a missing file, which the caller handles."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            path, reason = visible(str(self._folder)), visible(error.strerror or "")
            raise RefusedError(
                Message("receipt.public-keys-unusable", path=path, reason=reason),
                Message("receipt.check-key-folder"),
            ) from error
