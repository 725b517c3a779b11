"""Test-only keys, and tokens signed with them, right and wrong.

Tokens are made with PyJWT where they are right in form, and byte by byte where they are not; never with the code under
test.
"""

import base64
import hashlib
import hmac
import json
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

FOLDER = Path(__file__).with_name("tokens")
KEYS = FOLDER / "keys"

ISS = "https://hr.test-only.example"
IDP = "https://idp.test-only.example"
SITE = "urn:shoumi:agent:test-only"
NOW = 1_796_083_200  # 2026-12-01T00:00:00Z
DEPARTURE = "urn:shoumi:event:departure-approved"
RISC = "https://schemas.openid.net/secevent/risc/event-type/account-disabled"
CAEP = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"
SET, APPROVAL = "secevent+jwt", "departure-approval+jwt"

PINNED = {  # kid: (algorithm, issuer, role, person)
    "test-only-hr-ed25519": ("EdDSA", ISS, "", ""),
    "test-only-hr-es256": ("ES256", ISS, "", ""),
    "test-only-hr-rs256": ("RS256", ISS, "", ""),
    "test-only-idp-es256": ("ES256", IDP, "", ""),
    "test-only-personnel": ("EdDSA", ISS, "personnel", "E0007"),
    "test-only-personnel-spare": ("ES256", ISS, "personnel", "E0007"),
    "test-only-secrecy-office": ("ES256", ISS, "secrecy-office", "E0008"),
}
STRANGER = "test-only-not-pinned"


def make_keys() -> None:
    """Make what is missing; a key that is there stays, so that vectors made earlier stay right."""
    KEYS.mkdir(parents=True, exist_ok=True)
    public = []
    for kid, (alg, iss, role, person) in {**PINNED, STRANGER: ("EdDSA", ISS, "", "")}.items():
        file = KEYS / f"{kid}.private.jwk.json"
        if not file.exists():
            key = {
                "EdDSA": lambda: OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate(), as_dict=True),
                "ES256": lambda: ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True),
                "RS256": lambda: RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048), as_dict=True),
            }[alg]()
            key.pop("key_ops", None)
            named = {"role": role, "person": person} if role else {}
            note = {"note": "TEST ONLY: this private key is public"}
            file.write_text(json.dumps(key | {"kid": kid, "alg": alg, "iss": iss} | named | note, indent=1) + "\n")
        if kid != STRANGER:
            secret = ("d", "p", "q", "dp", "dq", "qi")
            public.append({name: value for name, value in private(kid).items() if name not in secret})
    pinned = {"audience": SITE, "approvals_needed": 2, "keys": public}
    (KEYS / "hr-keys.json").write_text(json.dumps(pinned, indent=1) + "\n")


def private(kid: str) -> dict:
    return json.loads((KEYS / f"{kid}.private.jwk.json").read_text())


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(claims, kid="test-only-hr-ed25519", typ=SET, header=None) -> str:
    """Sign claims, or the exact bytes given, with the algorithm of the key."""
    key = jwt.PyJWK(private(kid))
    head = {"alg": key.algorithm_name, "kid": kid, "typ": typ} | (header or {})
    head = {name: value for name, value in head.items() if value is not None}
    payload = claims if isinstance(claims, bytes) else json.dumps(claims, ensure_ascii=True).encode()
    return by_hand(json.dumps(head).encode(), payload, kid)


def by_hand(header: bytes, payload: bytes, kid: str) -> str:
    key = jwt.PyJWK(private(kid))
    text = f"{b64(header)}.{b64(payload)}"
    return f"{text}.{b64(key.Algorithm.sign(text.encode(), key.key))}"


def departure(subject="E1001", **changes):
    """Return the claims of a right departure, without approvals; ``None`` takes a claim away."""
    claims = {
        "iss": ISS,
        "aud": SITE,
        "iat": NOW - 5,
        "jti": f"jti-{subject}-{changes.get('txn', '')}",
        "toe": NOW - 10,
        "txn": "HR-2026-0042",
        "sub_id": {"format": "iss_sub", "iss": ISS, "sub": subject},
        "events": {
            DEPARTURE: {
                "kind": "resignation",
                "last_day": "2026-12-31",
                "approvers": [
                    {"role": "personnel", "by": "E0007", "at": NOW - 20},
                    {"role": "secrecy-office", "by": "E0008", "at": NOW - 10, "opinion": "同意"},
                ],
            }
        },
    } | changes
    return {name: value for name, value in claims.items() if value is not None}


def details(**changes):
    """Return the ``events`` of a right departure with other members in the event."""
    event = departure()["events"][DEPARTURE] | changes
    return {DEPARTURE: {name: value for name, value in event.items() if value is not None}}


def approval(claims, kid="test-only-personnel", typ=APPROVAL, **changes) -> str:
    facts = {name: claims.get(name) for name in ("aud", "txn", "toe", "sub_id", "events")}
    return signed({"iss": ISS, "iat": NOW - 8} | facts | changes, kid, typ)


def approved(claims, *approvals) -> dict:
    """Return claims with both approvers' signatures, or with those given."""
    both = (approval(claims), approval(claims, "test-only-secrecy-office"))
    return claims | {"approvals": list(approvals or both)}


def right(claims=None, kid="test-only-hr-ed25519", **header) -> str:
    return signed(approved(claims or departure()), kid, header=header)


def small(event=RISC, iss=IDP, kid="test-only-idp-es256", **changes) -> str:
    """Return a right token of an identity provider, which needs no approvals."""
    claims = {
        "iss": iss,
        "aud": SITE,
        "iat": NOW - 5,
        "jti": "idp-1",
        "sub_id": {"format": "iss_sub", "iss": iss, "sub": "E1001"},
        "events": {event: {}},
    } | changes
    return signed({name: value for name, value in claims.items() if value is not None}, kid)


def hs256(header: dict, payload: bytes, secret: bytes) -> str:
    text = f"{b64(json.dumps(header).encode())}.{b64(payload)}"
    return f"{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def other_half(token: str) -> str:
    """Return an ES256 token with the signature (r, n - s), which verifies as well as (r, s)."""
    head, payload, signature = token.split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    s = order - int.from_bytes(raw[32:])
    return f"{head}.{payload}.{b64(raw[:32] + s.to_bytes(32))}"
