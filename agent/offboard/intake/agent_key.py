"""The agent's own key, which signs answers to HR, and its public half.

Rules of this file: no other user may read it, it never leaves the host, and it is made once. A file that others could
read is no longer used: its readers could answer in the agent's name.
"""

import hashlib
import json
import os
import stat
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import OKPAlgorithm

from agent.errors import RefusedError
from agent.runtime import ours
from rules.text import Message, Sentence, foreign

_EXCLUSIVE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


def agent_key(home: Path) -> Ed25519PrivateKey:
    """Return the key that signs answers; make it (0600) when there is none. Raises :class:`RefusedError`."""
    file = home / "agent-key.pem"
    try:
        if not file.exists():
            pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            _make(file, pem)
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as source:
            status = os.fstat(descriptor)
            ours.check_folders(file)
            safe = stat.S_ISREG(status.st_mode) and status.st_uid in (0, os.geteuid()) and not status.st_mode & 0o077
            key = load_pem_private_key(source.read(), None) if safe else None
    except ours.OthersCanWriteError as error:
        raise error.refused() from error
    except (OSError, ValueError) as error:
        raise unusable(file, foreign(str(error))) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise unusable(file, Message("receipt.not-ed25519-key" if safe else "receipt.key-file-readable"))
    return key


def public_jwks(home: Path) -> str:
    """Return the JWK Set HR verifies answers with. Raises :class:`RefusedError`."""
    public = agent_key(home).public_key()
    jwk = OKPAlgorithm.to_jwk(public, as_dict=True) | {"kid": thumbprint(public), "alg": "EdDSA", "use": "sig"}
    return json.dumps({"keys": [jwk]}, indent=1, sort_keys=True)


def thumbprint(public: Ed25519PublicKey) -> str:
    """Return the name of a key that follows from the key itself (RFC 7638)."""
    jwk = OKPAlgorithm.to_jwk(public, as_dict=True)
    members = json.dumps({name: jwk[name] for name in ("crv", "kty", "x")}, sort_keys=True, separators=(",", ":"))
    return jwt.utils.base64url_encode(hashlib.sha256(members.encode()).digest()).decode()


def _make(file: Path, contents: bytes) -> None:
    """Write a new secret file; another process that makes it at the same moment wins."""
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    write(unfinished, contents, 0o600, 0)
    try:
        os.link(unfinished, file)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
    sync(file.parent)


def write(file: Path, contents: bytes, mode: int, owner: int, *, durable: bool = True) -> None:
    """Write a new file, given to *owner* unless that is root; *durable*: on the disk, too. Raises ``OSError``."""
    with open(os.open(file, _EXCLUSIVE, mode), "wb") as sink:
        sink.write(contents)
        sink.flush()
        if owner:
            os.fchown(sink.fileno(), owner, -1)
        if durable:
            os.fsync(sink.fileno())


def sync(directory: Path) -> None:
    """Put the names in a directory on the disk. Raises ``OSError``."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unusable(file: Path, reason: Sentence) -> RefusedError:
    """Return the error for a file that cannot be used for *reason*."""
    return RefusedError(
        Message("hr.file-unusable", path=str(file), reason=reason),
        Message("hr.restrict-to-root"),
    )
