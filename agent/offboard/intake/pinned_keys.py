"""``hr-keys.json``: which keys are believed, for what, and how HR's channel is used. Pinned by hand.

    {"audience": "urn:shoumi:agent:site-a",              the one audience a token must name; our issuer in answers
     "approvals_needed": 2,                              approvers' signatures a departure needs; 2 unless set
     "drop_uid": 61500,                                  who may drop tokens, besides root; 0 unless set
     "leeway_seconds": 60, "late_after_seconds": 3600,   what is dated further ahead waits, for
     "ahead_seconds": 86400,                              so long at the most
     "keys": [{"kty": …, "kid": …, "alg": …, "iss": …},                              a sender's key
              {"kty": …, "kid": …, "alg": …, "iss": …, "role": …, "person": …}]}     an approver's key

It is a JWK Set (RFC 7517), which may have members of its own. Rules of this file: every key has one algorithm, one
issuer and one purpose, fixed here and never taken from a token (RFC 8725 sections 3.1 and 3.8); a sender's key approves
nothing and an approver's key sends nothing. What is not understood is an error, because a misspelt ``role`` would make
an approver a sender. A file that others could have written is not read.
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
from rules.text import Text
from rules.visible import visible

ALGORITHMS: Final = ("EdDSA", "ES256", "RS256")
SMALLEST_RSA: Final = 2048  # bits; CAEP interoperability profile section 2.5, and PyJWT only warns below it

_LARGEST = 1 << 20
_KEY_MEMBERS = frozenset(
    ("kty", "crv", "x", "y", "n", "e", "kid", "alg", "use", "key_ops", "iss", "role", "person", "note")
) | {"x5c", "x5t", "x5t#S256"}  # the key's certificate, as identity providers publish it; not asked for anything
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
    shown = visible(str(file))
    try:
        text = ours.read(file, _LARGEST + 1)
    except ours.OthersCanWriteError as error:
        raise error.refused() from error
    except OSError as error:
        why = visible(error.strerror or "")
        raise RefusedError(
            Text(f"no keys of HR can be read from `{shown}`: {why}", f"无法从 `{shown}` 读取人事系统的密钥：{why}"),
            Text("docs/hr-integration.md shows how to pin them", "固定密钥的方法见 docs/hr-integration.md"),
        ) from error
    return parse(text, name=shown)


def parse(text: bytes, *, name: str = "hr-keys.json") -> PinnedKeys:
    """Read the pinned keys from JSON; raise :class:`RefusedError` that names what is wrong and where."""
    try:
        found = json_strict.read(text) if len(text) <= _LARGEST else {}
    except BadTokenError as error:
        raise _wrong(name, error.text) from error
    for member in found.keys() - SETTINGS:
        raise _wrong(name, Text(f"no setting is called `{visible(member)}`", f"没有名为 `{visible(member)}` 的设置"))
    listed = found.get("keys")
    if not isinstance(listed, list) or not listed:
        raise _wrong(name, Text("`keys` is not a list of keys", "`keys` 不是密钥列表"))
    return PinnedKeys(
        audience=_string(found, "audience", name),
        by_kid=_distinct([_key(one, f"{name} keys[{index}]") for index, one in enumerate(listed)], name),
        approvals_needed=_number(found, "approvals_needed", 2, 8, name),
        drop_uid=_number(found, "drop_uid", 0, (1 << 32) - 2, name),
        leeway=timedelta(seconds=_number(found, "leeway_seconds", 60, 600, name)),
        late_after=timedelta(seconds=_number(found, "late_after_seconds", 3600, 366 * 86_400, name)),
        ahead=timedelta(seconds=_number(found, "ahead_seconds", 86_400, 31 * 86_400, name)),
    )


def _key(given: object, where: str) -> PinnedKey:
    if not isinstance(given, dict):
        raise _wrong(where, Text("it is not a key", "不是密钥"))
    if secret := given.keys() & _SECRET_MEMBERS:
        said = ", ".join(sorted(secret))
        raise _wrong(where, Text(f"it holds a secret key (`{said}`)", f"其中含有私钥（`{said}`）"))
    for member in given.keys() - _KEY_MEMBERS:
        raise _wrong(where, Text(f"no member is called `{visible(member)}`", f"没有名为 `{visible(member)}` 的成员"))
    algorithm = given.get("alg")
    if algorithm not in ALGORITHMS:
        raise _wrong(where, Text("`alg` is not EdDSA, ES256 or RS256", "`alg` 不是 EdDSA、ES256 或 RS256"))
    if given.get("use", "sig") != "sig" or given.get("key_ops", ["verify"]) != ["verify"]:
        raise _wrong(where, Text("it is not a key for signatures", "不是用于签名验证的密钥"))
    if ("role" in given) != ("person" in given):
        raise _wrong(
            where,
            Text(
                "an approver's key has a `role` and a `person`, a sender's has neither",
                "审批人密钥须同时写明 `role` 和 `person`，发送方密钥两者皆无",
            ),
        )
    role, person = (_string(given, name, where) if name in given else "" for name in ("role", "person"))
    try:
        public = jwt.PyJWK.from_dict(given, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
        raise _wrong(where, Text("the key cannot be read", "无法读取该密钥")) from error
    if not _fits(algorithm, public):
        raise _wrong(
            where,
            Text(
                f"it is not a key for {algorithm} (RSA keys have {SMALLEST_RSA} bits or more)",
                f"不是 {algorithm} 的密钥（RSA 密钥不少于 {SMALLEST_RSA} 位）",
            ),
        )
    return PinnedKey(_string(given, "kid", where), algorithm, _string(given, "iss", where), public, role, person)


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
            raise _wrong(name, Text(f"`kid` `{key.kid}` is there twice", f"`kid` `{key.kid}` 出现两次"))
        if other := by_material.get(material):
            both = f"`{other.kid}`", f"`{key.kid}`"
            raise _wrong(
                name,
                Text(
                    f"{both[0]} and {both[1]} are one key, there twice", f"{both[0]} 与 {both[1]} 是同一密钥，出现两次"
                ),
            )
        by_kid[key.kid] = by_material[material] = key
    return by_kid


def _string(given: Mapping[str, object], member: str, where: str) -> str:
    value = given.get(member)
    if not isinstance(value, str) or not value or visible(value) != value:
        raise _wrong(where, Text(f"`{member}` is not a plain text", f"`{member}` 不是普通文本"))
    return value


def _number(given: Mapping[str, object], member: str, default: int, most: int, where: str) -> int:
    value = given.get(member, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise _wrong(where, Text(f"`{member}` is not a number from 0 to {most}", f"`{member}` 不是 0 到 {most} 的整数"))
    return value


def _wrong(where: str, what: Text) -> RefusedError:
    return RefusedError(
        Text(f"{where}: {what.en}", f"{where}：{what.zh}"),
        Text("docs/hr-integration.md shows the file", "文件格式见 docs/hr-integration.md"),
    )
