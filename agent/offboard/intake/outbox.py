"""The answer to HR: a signed token with the same case number and the times that were measured.

Rules of this file: "accepted" means durably received, and only this token means that access is over (RFC 8935 section
2: the two are different things). It is signed by the agent's own key, which nobody else may read and which never
leaves. Answering twice gives the same file: its name and number follow from the question and the state.
"""

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

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
from agent.offboard.intake.notice import HrNotice
from agent.offboard.intake.token import TYPE
from rules.text import Text
from rules.visible import visible

COMPLETED: Final = "urn:shoumi:event:departure-completed"

_EXCLUSIVE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Completion:
    """What is told to HR. ``times`` are instants on the agent's clock by name (``received``, ``denied`` …).

    ``done`` says that nothing is left; ``pending`` names what could not be ended yet (a door that does not answer).
    """

    state: Literal["done", "pending"]
    times: Mapping[str, datetime]
    pending: tuple[str, ...] = ()


def folder(home: Path) -> Path:
    """Return where answers for HR are put."""
    return home / "outbox"


def complete(
    home: Path, site: str, notice: HrNotice, completion: Completion, now: datetime, *, reader: int = 0
) -> Path:
    """Put the signed answer to *notice* into the outbox, durable, and return its path.

    *site* is the name HR addresses this agent by (:attr:`agent.offboard.intake.pinned_keys.PinnedKeys.audience`);
    *reader* is the uid that may read the answer besides root. An answer of this state that is there already is left as
    it is. Raises :class:`RefusedError`.
    """
    number = hashlib.sha256("\0".join((*notice.key, completion.state)).encode()).hexdigest()[:32]
    target = folder(home) / f"{number}.set"
    if target.exists():
        return target
    key = agent_key(home)
    token = jwt.encode(
        _claims(site, notice, completion, now, number),
        key,
        algorithm="EdDSA",
        headers={"typ": TYPE, "kid": thumbprint(key.public_key())},
    )
    try:
        folder(home).mkdir(mode=0o711, exist_ok=True)
        _publish(target, token.encode(), reader)
    except OSError as error:
        raise _unusable(target, error.strerror or "") from error
    return target


def _claims(site: str, notice: HrNotice, completion: Completion, now: datetime, number: str) -> dict[str, Any]:
    return {
        "iss": site,
        "aud": notice.iss,
        "iat": now.timestamp(),
        "jti": number,
        "toe": max(completion.times.values(), default=now).timestamp(),
        "txn": notice.txn,
        "sub_id": {"format": "iss_sub", "iss": notice.iss, "sub": notice.subject},
        "events": {
            COMPLETED: {
                "answers": notice.jti,
                "event": notice.event.value,
                "state": completion.state,
                "times": {
                    name: moment.isoformat(timespec="microseconds")
                    for name, moment in sorted({"approved": notice.toe, **completion.times}.items(), key=lambda t: t[1])
                },
                "pending": list(completion.pending),
            }
        },
    }


def agent_key(home: Path) -> Ed25519PrivateKey:
    """Return the key answers are signed with; make it (0600) when there is none. Raises :class:`RefusedError`."""
    file = home / "agent-key.pem"
    try:
        if not file.exists():
            pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            _make(file, pem)
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as source:
            status = os.fstat(descriptor)
            safe = stat.S_ISREG(status.st_mode) and status.st_uid in (0, os.geteuid()) and not status.st_mode & 0o077
            key = load_pem_private_key(source.read(), None) if safe else None
    except (OSError, ValueError) as error:
        raise _unusable(file, str(error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unusable(file, "others could read it" if not safe else "it is not an Ed25519 key")
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
    _write(unfinished, contents, 0o600, 0)
    try:
        os.link(unfinished, file)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
    _sync(file.parent)


def _publish(target: Path, contents: bytes, reader: int) -> None:
    unfinished = target.with_suffix(".tmp")
    unfinished.unlink(missing_ok=True)  # of an earlier attempt that was killed
    _write(unfinished, contents, 0o400, reader)
    unfinished.rename(target)
    _sync(target.parent)


def _write(file: Path, contents: bytes, mode: int, owner: int) -> None:
    with open(os.open(file, _EXCLUSIVE, mode), "wb") as sink:
        sink.write(contents)
        sink.flush()
        if owner:
            os.fchown(sink.fileno(), owner, -1)
        os.fsync(sink.fileno())


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(file: Path, why: str) -> RefusedError:
    shown, said = visible(str(file)), visible(why)
    return RefusedError(
        Text(f"`{shown}` cannot be used: {said}", f"无法使用 `{shown}`：{said}"),
        Text("it belongs to root alone", "该文件应仅属于 root"),
    )
