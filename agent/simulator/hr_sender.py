"""HR sender: a minimal HR system for a site's first token.

Rules of this file: the agent does not trust it: a token made here is verified by the pinned keys like any other. Keys
made here are for trials; they have no effect until an administrator pins them, and a live site pins the keys of its own
HR system instead. docs/hr-integration.md shows the same without this file.
"""

import json
import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from agent.errors import RefusedError
from agent.offboard.intake import json_strict, pinned_keys
from agent.offboard.intake.notice import HrEvent, HrNotice
from agent.offboard.intake.reasons import BadTokenError
from agent.offboard.intake.token import APPROVAL_TYPE, APPROVED, TYPE, verify
from agent.presentation.os_errors import os_reason
from rules.text import Message
from rules.visible import visible

Jwk = dict[str, Any]

PRIVATE: Final = ".private.jwk.json"


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivered token, and the notice the agent will read from it."""

    file: Path
    notice: HrNotice


def make_keys(
    folder: Path, *, audience: str, iss: str, approvers: Sequence[tuple[str, str]] = (), drop_uid: int = 0
) -> Path:
    """Create a sender's key and one for each approver ``(role, person)`` in *folder*; return the file to pin.

    Private keys are ``NAME.private.jwk.json`` with mode 0600. Nothing is pinned by this. Raises :class:`RefusedError`
    when a file of that name exists already.
    """
    secret = [_make(f"{iss}#sender", iss)]
    secret += [_make(f"{iss}#{person}", iss) | {"role": role, "person": person} for role, person in approvers]
    public = [{name: member for name, member in key.items() if name != "d"} for key in secret]
    pinned = {"audience": audience, "approvals_needed": len(approvers), "drop_uid": drop_uid, "keys": public}
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        for key in secret:
            _write(folder / f"{key.get('person', 'sender')}{PRIVATE}", json.dumps(key, indent=1), 0o600)
        _write(folder / "hr-keys.json", json.dumps(pinned, indent=1, ensure_ascii=False), 0o644)
    except OSError as error:
        raise _unusable(folder, error) from error
    return folder / "hr-keys.json"


def send_test(
    home: Path,
    employee: str,
    keys_folder: Path,
    now: datetime,
    *,
    txn: str = "",
    event: HrEvent = HrEvent.DEPARTURE_APPROVED,
    kind: str = "resignation",
    last_day: date | None = None,
) -> Sent:
    """Sign a token about *employee* with the private keys of a folder and deliver it to the spool of *home*.

    It is a real token: once delivered, the agent acts on it. It is first verified by the pinned keys, so that errors in
    a site's keys are reported here: raises :class:`BadTokenError` and :class:`RefusedError`, and then nothing is
    delivered.
    """
    pinned = pinned_keys.load(pinned_keys.path(home))
    sender, approvers = read_keys(keys_folder)
    details: dict[str, Any] = {}
    if event is HrEvent.DEPARTURE_APPROVED:
        named = [
            {"role": approver["role"], "by": approver["person"], "at": int(now.timestamp())} for approver in approvers
        ]
        details = {"kind": kind, "approvers": named}
        if last_day:
            details["last_day"] = last_day.isoformat()
    number = str(uuid.uuid4())
    claims = {
        "iss": sender["iss"],
        "aud": pinned.audience,
        "iat": int(now.timestamp()),
        "jti": number,
        "toe": now.timestamp(),
        "txn": txn or f"test-{number[:8]}",
        "sub_id": {"format": "iss_sub", "iss": sender["iss"], "sub": employee},
        "events": {event.uri: details},
    }
    if event is HrEvent.DEPARTURE_APPROVED and approvers:
        claims["approvals"] = [approve(claims, approver, now) for approver in approvers]
    token = sign(claims, sender, TYPE)
    try:
        notice = verify(token.encode(), pinned, now)
    except BadTokenError as error:
        error.hint = Message("simulator.token-not-delivered")
        raise
    return Sent(drop(home / "spool" / "new", token, number), notice)


def wait_for_spool(home: Path, patience: float = 10.0) -> None:
    """Wait until the spool of the agent of *home* exists: the agent notices pinned keys within a second.

    Returns after *patience* seconds in any case, and at once where no keys are pinned: sending reports the error.
    """
    until = time.monotonic() + patience
    while pinned_keys.path(home).exists() and not (home / "spool" / "new").is_dir() and time.monotonic() < until:
        time.sleep(0.05)


def read_keys(folder: Path) -> tuple[Jwk, list[Jwk]]:
    """Return the sender's private key and the approvers' of a folder. Raises :class:`RefusedError`."""
    try:
        keys: list[Jwk] = [json_strict.read(file.read_bytes()) for file in sorted(folder.glob(f"*{PRIVATE}"))]
    except OSError as error:
        raise _unusable(folder, error) from error
    senders = [key for key in keys if "role" not in key]
    if len(senders) != 1:
        path = visible(str(folder))
        raise RefusedError(
            Message("simulator.sender-key-count", path=path, count=len(senders)),
            Message("simulator.sender-key-name", private=PRIVATE),
        )
    return senders[0], [key for key in keys if "role" in key]


def approve(claims: Jwk, approver: Jwk, at: datetime) -> str:
    """Return an approver's signature on the facts of a token."""
    facts = {name: claims[name] for name in APPROVED}
    return sign({"iss": approver["iss"], "iat": int(at.timestamp()), **facts}, approver, APPROVAL_TYPE)


def sign(claims: Jwk, key: Jwk, kind: str) -> str:
    """Return *claims* as a compact JWS of type *kind*. Raises :class:`RefusedError` without a private JWK."""
    try:
        return jwt.encode(claims, jwt.PyJWK(key), headers={"typ": kind, "kid": key["kid"]})
    except (jwt.PyJWTError, TypeError, ValueError, KeyError) as error:
        kid = visible(str(key.get("kid")))
        raise RefusedError(
            Message("simulator.key-cannot-sign", kid=kid),
            Message("simulator.private-jwk-required"),
        ) from error


def drop(new: Path, token: str, name: str) -> Path:
    """Deliver a token: write it under a temporary name, sync it, and rename it. Raises :class:`RefusedError`."""
    under_way, delivered = new / f"{name}.tmp", new / f"{name}.set"
    try:
        _write(under_way, token, 0o600)
        under_way.rename(delivered)
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            raise _unusable(new, error) from error
        home = visible(str(new.parent.parent))
        raise RefusedError(
            Message("simulator.spool-not-found", home=home),
            Message("simulator.spool-created-by-agent"),
        ) from error
    return delivered


def _make(kid: str, iss: str) -> Jwk:
    jwk: Jwk = OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True)
    jwk.pop("key_ops", None)
    return jwk | {"kid": kid, "alg": "EdDSA", "use": "sig", "iss": iss}


def _write(file: Path, text: str, mode: int) -> None:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(file, flags, mode), "w", encoding="utf-8") as sink:
        sink.write(text)
        sink.flush()
        os.fsync(sink.fileno())


def _unusable(folder: Path, error: OSError) -> RefusedError:
    path, error_text = visible(str(folder)), os_reason(error)
    return RefusedError(Message("simulator.folder-unusable", path=path, error=error_text))


__all__ = ["BadTokenError", "Sent", "approve", "drop", "make_keys", "read_keys", "send_test", "sign", "wait_for_spool"]
