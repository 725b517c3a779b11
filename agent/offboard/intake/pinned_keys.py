"""``hr-keys.json``: the trusted keys, their purposes, and the settings of HR's channel. Pinned by hand.

    {"audience": "urn:shoumi:agent:site-a",              the one audience a token must name; our issuer in answers
     "approvals_needed": 2,                              approvers' signatures a departure needs; 2 unless set
     "drop_uid": 61500,                                  who may drop tokens, besides root; 0 unless set
     "leeway_seconds": 60, "late_after_seconds": 3600,   what is dated further ahead waits, for
     "ahead_seconds": 86400,                              so long at the most
     "keys": [{"kty": …, "kid": …, "alg": …, "iss": …},                              a sender's key
              {"kty": …, "kid": …, "alg": …, "iss": …, "role": …, "person": …}]}     an approver's key

It is a JWK Set (RFC 7517), which may have members of its own. Rules of this file: every key has one algorithm, one
issuer and one purpose, fixed here and never taken from a token (RFC 8725 sections 3.1 and 3.8); a sender's key approves
nothing and an approver's key sends nothing. An unknown member is an error, because a misspelt ``role`` would make an
approver a sender. A file that others could have written is not read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.errors import RefusedError
from agent.offboard.intake import json_strict
from agent.offboard.intake.reasons import BadTokenError
from agent.runtime import ours
from rules.text import Message, Sentence
from rules.visible import visible

ALGORITHMS: Final = ("EdDSA", "ES256", "RS256")
SMALLEST_RSA: Final = 2048  # bits; CAEP interoperability profile section 2.5, and PyJWT only warns below it

_LARGEST = 1 << 20
_KEY_MEMBERS = frozenset(
    ("kty", "crv", "x", "y", "n", "e", "kid", "alg", "use", "key_ops", "iss", "role", "person", "note")
) | {"x5c", "x5t", "x5t#S256"}  # the key's certificate, as identity providers publish it; not used
_SECRET_MEMBERS = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))
SETTINGS: Final = frozenset(
    ("audience", "approvals_needed", "drop_uid", "leeway_seconds", "late_after_seconds", "ahead_seconds", "keys")
)

PublicKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey


@dataclass(frozen=True, slots=True)
class PinnedKey:
    """One pinned key. ``role`` and ``person`` are empty for a sender's."""

    kid: str
    alg: str
    iss: str
    public: PublicKey
    role: str = ""
    person: str = ""

    @property
    def approves(self) -> bool:
        """Whether it is an approver's."""
        return bool(self.role)


@dataclass(frozen=True, slots=True)
class PinnedKeys:
    """The whole of ``hr-keys.json``."""

    audience: str
    by_kid: Mapping[str, PinnedKey]
    approvals_needed: int = 2
    drop_uid: int = 0
    leeway: timedelta = timedelta(seconds=60)
    late_after: timedelta = timedelta(hours=1)
    ahead: timedelta = timedelta(days=1)


def path(home: Path) -> Path:
    """Return where the keys of an agent are pinned."""
    return home / "hr-keys.json"


def load(file: Path) -> PinnedKeys:
    """Read the pinned keys; raise :class:`RefusedError` when they are missing, wrong, or not safe from others."""
    path_text = visible(str(file))
    try:
        text = ours.read(file, _LARGEST + 1)
    except ours.OthersCanWriteError as error:
        raise error.refused() from error
    except OSError as error:
        reason = visible(error.strerror or "")
        raise RefusedError(
            Message("hr.pinned-keys-unreadable", path=path_text, reason=reason),
            Message("common.see-hr-integration"),
        ) from error
    return parse(text, name=path_text)


def parse(text: bytes, *, name: str = "hr-keys.json") -> PinnedKeys:
    """Read the pinned keys from JSON; raise :class:`RefusedError` that names the error and its place."""
    try:
        settings = json_strict.read(text) if len(text) <= _LARGEST else {}
    except BadTokenError as error:
        raise _wrong(name, error.text) from error
    for member in settings.keys() - SETTINGS:
        raise _wrong(name, Message("hr.setting-unknown", member=member))
    listed = settings.get("keys")
    if not isinstance(listed, list) or not listed:
        raise _wrong(name, Message("hr.keys-not-a-list"))
    return PinnedKeys(
        audience=_string(settings, "audience", name),
        by_kid=_distinct([_key(member_key, f"{name} keys[{index}]") for index, member_key in enumerate(listed)], name),
        approvals_needed=_number(settings, "approvals_needed", 2, 8, name),
        drop_uid=_number(settings, "drop_uid", 0, (1 << 32) - 2, name),
        leeway=timedelta(seconds=_number(settings, "leeway_seconds", 60, 600, name)),
        late_after=timedelta(seconds=_number(settings, "late_after_seconds", 3600, 366 * 86_400, name)),
        ahead=timedelta(seconds=_number(settings, "ahead_seconds", 86_400, 31 * 86_400, name)),
    )


def _key(jwk: object, place: str) -> PinnedKey:
    if not isinstance(jwk, dict):
        raise _wrong(place, Message("hr.not-a-key"))
    if secret := jwk.keys() & _SECRET_MEMBERS:
        secret_names = ", ".join(sorted(secret))
        raise _wrong(place, Message("hr.private-key-present", member=secret_names))
    for member in jwk.keys() - _KEY_MEMBERS:
        raise _wrong(place, Message("hr.member-unknown", member=member))
    algorithm = jwk.get("alg")
    if algorithm not in ALGORITHMS:
        raise _wrong(place, Message("hr.algorithm-unsupported"))
    if jwk.get("use", "sig") != "sig" or jwk.get("key_ops", ["verify"]) != ["verify"]:
        raise _wrong(place, Message("hr.key-not-for-signatures"))
    if ("role" in jwk) != ("person" in jwk):
        raise _wrong(
            place,
            Message("hr.key-role-or-person-wrong"),
        )
    role, person = (_string(jwk, name, place) if name in jwk else "" for name in ("role", "person"))
    try:
        public = jwt.PyJWK.from_dict(jwk, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
        raise _wrong(place, Message("hr.key-unreadable")) from error
    if not _fits(algorithm, public):
        raise _wrong(
            place,
            Message("hr.key-type-mismatch", algorithm=algorithm, smallest_rsa=SMALLEST_RSA),
        )
    return PinnedKey(_string(jwk, "kid", place), algorithm, _string(jwk, "iss", place), public, role, person)


def _fits(algorithm: str, public: object) -> bool:
    match public:
        case Ed25519PublicKey():
            return algorithm == "EdDSA"
        case EllipticCurvePublicKey():
            return algorithm == "ES256" and isinstance(public.curve, SECP256R1)
        case RSAPublicKey():
            return algorithm == "RS256" and public.key_size >= SMALLEST_RSA
        case _:
            return False


def _distinct(keys: list[PinnedKey], name: str) -> Mapping[str, PinnedKey]:
    """Refuse one name for two keys, and one key under two names: one hand would then sign as two."""
    by_kid: dict[str, PinnedKey] = {}
    by_material: dict[bytes, PinnedKey] = {}
    for key in keys:
        material = key.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if key.kid in by_kid:
            raise _wrong(name, Message("hr.kid-duplicate", kid=key.kid))
        if earlier := by_material.get(material):
            both = f"`{earlier.kid}`", f"`{key.kid}`"
            raise _wrong(
                name,
                Message("hr.key-duplicate", first=both[0], second=both[1]),
            )
        by_kid[key.kid] = by_material[material] = key
    return by_kid


def _string(members: Mapping[str, object], member: str, place: str) -> str:
    text = members.get(member)
    if not isinstance(text, str) or not text or visible(text) != text:
        raise _wrong(place, Message("hr.not-plain-text", member=member))
    return text


def _number(members: Mapping[str, object], member: str, default: int, most: int, place: str) -> int:
    number = members.get(member, default)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= most:
        raise _wrong(place, Message("hr.number-out-of-range", member=member, most=most))
    return number


def _wrong(place: str, problem: Sentence) -> RefusedError:
    return RefusedError(
        Message("common.labelled", label=place, text=problem),
        Message("hr.see-file-format"),
    )
