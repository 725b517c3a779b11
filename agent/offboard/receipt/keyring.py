"""The public keys this agent has ever signed receipts with, so that an old receipt is checked when its key is gone.

    H/receipts/keys/FINGERPRINT.pem   one public key        H/receipts/keys/current   the fingerprint of what signs

Rules of this file: nothing here is secret, and nothing here signs. A public key is kept before the first receipt that
needs it is, and is never taken away. ``current`` is what tells a key that was lost or exchanged from a first one.
"""

import contextlib
import json
import os
import threading
from pathlib import Path

from agent.errors import RefusedError
from agent.offboard.receipt.signing import Signer, fingerprint_of, key_path, synced
from rules.text import Text
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
        with _said(self._folder), contextlib.suppress(FileNotFoundError):
            found = (self._folder / "current").read_text(encoding="ascii", errors="replace").strip()
            return found if _fingerprint(found) else None
        return None

    def present(self) -> Signer | None:
        """Return the key that is there now; ``None``: there is no file. Nothing is made."""
        return Signer.at(key_path(self._home)) if os.path.lexists(key_path(self._home)) else None

    def keep(self, signer: Signer) -> None:
        """Keep the public half of *signer*; on the disk when this returns."""
        path = self._folder / f"{signer.fingerprint}.pem"
        if not path.exists():
            self._write(path, signer.public_pem())

    def adopt(self, signer: Signer) -> None:
        """Keep *signer*, and note that it is the one that signs from now on."""
        self.keep(signer)
        self._write(self._folder / "current", signer.fingerprint.encode() + b"\n")

    def public(self, fingerprint: str) -> bytes | None:
        """Return the public key of this fingerprint, also one that is no longer in use; ``None``: it was never ours."""
        if not _fingerprint(fingerprint):
            return None
        with _said(self._folder), contextlib.suppress(FileNotFoundError):
            pem = (self._folder / f"{fingerprint}.pem").read_bytes()
            return pem if fingerprint_of(pem) == fingerprint else None
        return None

    def fingerprints(self) -> list[str]:
        """Return the fingerprints of all keys that are kept, in order."""
        with _said(self._folder):
            return sorted(path.stem for path in self._folder.glob("*.pem") if _fingerprint(path.stem))

    def public_of(self, receipt: bytes) -> bytes:
        """Return the public key to check *receipt* with: the one it names if that was ever ours, else the present one.

        What the receipt says is not believed by that: it is checked against a key of ours, whichever it names.
        """
        try:
            named = json.loads(receipt.split(b"\n")[1])["key"]
        except (ValueError, IndexError, KeyError, TypeError, RecursionError):
            named = ""
        known = self.public(named) if isinstance(named, str) else None
        return known or Signer.at(key_path(self._home)).public_pem()

    def _write(self, path: Path, data: bytes) -> None:
        """Write *path* whole or not at all, over what it was."""
        with _said(self._folder):
            self._folder.parent.mkdir(mode=0o700, exist_ok=True)
            self._folder.mkdir(mode=0o700, exist_ok=True)
            fresh = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_native_id()}")
            fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(fd)
            fresh.replace(path)
            synced(self._folder)
            synced(self._folder.parent)


def _fingerprint(word: str) -> bool:
    return len(word) == 64 and set(word) <= _DIGITS


class _said(contextlib.AbstractContextManager[None]):  # noqa: N801 - a context manager
    """Turn an error of the disk into one of ours; what is not there is the caller's to judge."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            shown, why = visible(str(self._folder)), visible(error.strerror or "")
            raise RefusedError(
                Text(f"the public keys in `{shown}` cannot be used: `{why}`", f"无法使用 `{shown}` 中的公钥：`{why}`"),
                Text("make room, or see who owns the folder", "请腾出空间，或检查目录属主"),
            ) from error
