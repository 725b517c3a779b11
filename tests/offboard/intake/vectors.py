"""Writes ``tokens/``: the vectors of right and wrong tokens, and the test-only keys when there are none.

    python -m tests.offboard.intake.vectors

Tokens are made with PyJWT where they are right in form, and byte by byte where they are not; never with the code under
test. What each must come to is written here by hand, from docs/hr-integration.md.
"""

import base64
import copy
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


def vectors() -> dict[str, dict]:
    """Return every vector by name."""
    made: dict[str, dict] = {}

    def one(name, why, expect, token, **more):
        folder, _, reason = expect.partition(" ")
        made[name] = {"why": why, **more, "drops": [{"token": token, "folder": folder, "reason": reason or folder}]}

    def several(name, why, *drops):
        made[name] = {
            "why": why,
            "drops": [
                {"token": token, "folder": e.partition(" ")[0], "reason": e.partition(" ")[2] or e}
                for e, token in drops
            ],
        }

    def bad(name, reason, token, why="", **more):
        one(name, why, f"rejected {reason}", token, **more)

    base = departure()
    whole = json.dumps(approved(base), ensure_ascii=True)

    # right ones
    one("right-eddsa", "a departure approved by two", "accepted", right())
    one("right-es256", "", "accepted", right(kid="test-only-hr-es256"))
    one("right-rs256", "", "accepted", right(kid="test-only-hr-rs256"))
    one("right-risc-account-disabled", "RISC; reason is optional", "accepted", small())
    one(
        "right-caep-session-revoked",
        "CAEP with its own time",
        "accepted",
        small(CAEP, events={CAEP: {"event_timestamp": NOW - 9}}),
    )
    one(
        "right-with-unknown-claim",
        "a claim nobody asked for is ignored",
        "accepted",
        right(base | {"extra": [1, {"a": None}]}),
    )
    one("right-line-end", "a newline after the token", "accepted", right() + "\n")
    one(
        "right-clock-of-hr-fast",
        "iat 59 s in the future, within the leeway",
        "accepted",
        right(departure(iat=NOW + 59, toe=NOW + 30)),
    )
    one("right-half-seconds", "a NumericDate may have a fraction", "accepted", right(departure(toe=NOW - 10.25)))
    one(
        "old-ten-years",
        "old is late, and never lost",
        "accepted late",
        right(departure(iat=NOW - 315_360_000, toe=NOW - 315_360_001)),
    )
    one(
        "old-approved-yesterday-sent-now",
        "late counts from the approval",
        "accepted late",
        right(departure(toe=NOW - 86_400)),
    )
    one(
        "old-caep-by-its-own-time",
        "event_timestamp is when it happened",
        "accepted late",
        small(CAEP, events={CAEP: {"event_timestamp": NOW - 86_400}}),
    )
    one("none-needed-no-approvals", "a site may need none", "accepted", signed(base), approvals_needed=0)

    # form
    bad("form-empty", "not-a-token", "")
    bad("form-garbage", "not-a-token", "hello, this is not a token\n")
    bad("form-two-parts", "not-a-token", right().rpartition(".")[0])
    bad("form-four-parts", "not-a-token", right() + ".AAAA")
    bad("form-json-serialization", "not-a-token", json.dumps({"payload": "e30", "protected": "e30", "signature": "AA"}))
    bad(
        "form-spare-bits-in-base64",
        "not-a-token",
        right(kid="test-only-hr-ed25519")[:-1] + "B",
        "the last character of a 64-byte signature holds four spare bits",
    )
    bad("form-half-written", "not-a-token", right()[: len(right()) // 3], "cut in the payload")
    bad("size-more-than-64-KiB", "too-large", right(base | {"extra": "x" * 49_152}))
    bad("depth-in-a-claim", "too-deep", right(base | {"extra": json.loads("[" * 40 + "]" * 40)}))
    bad(
        "depth-in-the-header",
        "too-deep",
        by_hand(
            b'{"alg":"EdDSA","typ":"secevent+jwt","kid":' + b"[" * 5000 + b"]" * 5000 + b"}",
            b"{}",
            "test-only-hr-ed25519",
        ),
    )
    bad(
        "depth-hidden-by-an-open-string",
        "too-deep",
        by_hand(
            b'{"alg":"EdDSA","typ":"secevent+jwt","kid":"test-only-hr-ed25519"}',
            b"[" * 20 + b'"' + b'\\"' * 500,
            "test-only-hr-ed25519",
        ),
    )
    bad("json-payload-is-a-list", "not-json", signed(b"[1]"))
    bad("json-payload-is-empty", "not-a-token", signed(b""))
    bad("json-utf-16", "not-json", signed(whole.encode("utf-16-le")), "PyJWT guesses the encoding, and reads it")
    bad("json-not-a-number", "not-json", signed(whole.replace(str(NOW - 5), "NaN", 1).encode()))
    bad("json-infinite", "not-json", signed(whole.replace(f'"iat": {NOW - 5}', '"iat": 1e999', 1).encode()))
    bad("json-lone-surrogate", "not-json", signed(whole.replace("HR-2026-0042", "\\ud800", 1).encode()))
    bad("json-two-objects", "not-json", signed(b"{}{}"))
    bad(
        "duplicate-claim-subject",
        "duplicate-member",
        signed(whole[:-1].encode() + b', "sub_id": {"format": "iss_sub", "iss": "%s", "sub": "E0002"}}' % ISS.encode()),
        "the last one wins in most readers",
    )
    bad(
        "duplicate-member-in-the-event",
        "duplicate-member",
        signed(whole.replace('"kind": "resignation"', '"kind": "resignation", "kind": "dismissal"').encode()),
    )
    bad(
        "duplicate-member-in-the-header",
        "duplicate-member",
        by_hand(
            b'{"alg":"none","alg":"EdDSA","typ":"secevent+jwt","kid":"test-only-hr-ed25519"}',
            whole.encode(),
            "test-only-hr-ed25519",
        ),
    )

    # header and key
    bad(
        "alg-none",
        "algorithm",
        b64(b'{"alg":"none","typ":"secevent+jwt","kid":"test-only-hr-ed25519"}') + f".{b64(whole.encode())}.AA",
    )
    public = OKPAlgorithm.from_jwk(private("test-only-hr-ed25519")).public_key().public_bytes_raw()
    head = {"alg": "HS256", "typ": SET, "kid": "test-only-hr-ed25519"}
    bad("alg-hs256-with-the-public-key", "algorithm", hs256(head, whole.encode(), public))
    bad("alg-hs256-with-the-public-key-in-hex", "algorithm", hs256(head, whole.encode(), public.hex().encode()))
    bad(
        "alg-of-another-key",
        "algorithm",
        signed(approved(base), "test-only-hr-es256", header={"kid": "test-only-hr-ed25519"}),
    )
    bad("alg-es384-named-for-es256", "algorithm", signed(approved(base), "test-only-hr-es256", header={"alg": "ES384"}))
    bad("alg-missing", "algorithm", signed(approved(base), header={"alg": None}))
    bad("typ-jwt", "type", signed(approved(base), typ="JWT"))
    bad("typ-missing", "type", signed(approved(base), header={"typ": None}))
    bad("typ-access-token", "type", signed(approved(base), typ="at+jwt"))
    bad("typ-in-capitals", "type", signed(approved(base), typ="SECEVENT+JWT"))
    bad("kid-missing", "key-unknown", signed(approved(base), header={"kid": None}))
    bad("kid-unknown", "key-unknown", signed(approved(base), STRANGER))
    bad("kid-is-a-number", "key-unknown", signed(approved(base), header={"kid": 1}))
    bad("kid-is-a-path", "key-unknown", signed(approved(base), header={"kid": "../../../../dev/null"}))
    jwk = {name: private(STRANGER)[name] for name in ("kty", "crv", "x")}
    bad(
        "header-own-key-inside",
        "header",
        signed(approved(base), STRANGER, header={"jwk": jwk, "kid": "test-only-hr-ed25519"}),
    )
    bad("header-key-address", "header", right(jku="https://attacker.example/jwks"))
    bad("header-critical-extension", "header", right(crit=["exp"]))
    bad("header-unencoded-payload", "header", right(b64=False, crit=["b64"]))
    bad("key-of-an-approver-sends", "key-purpose", signed(approved(base), "test-only-personnel"))

    # signature
    token = right()
    bad(
        "signature-of-another-key",
        "signature",
        signed(approved(base), STRANGER, header={"kid": "test-only-hr-ed25519"}),
    )
    bad("signature-one-bit", "signature", token[:-20] + ("A" if token[-20] != "A" else "B") + token[-19:])
    bad("signature-cut", "signature", token[:-22], "48 bytes of 64")
    bad(
        "signature-of-other-claims",
        "signature",
        ".".join([token.split(".")[0], b64(whole.replace("E1001", "E0002").encode()), token.split(".")[2]]),
    )
    bad(
        "signature-es256-all-zero",
        "signature",
        right(kid="test-only-hr-es256").rpartition(".")[0] + "." + b64(b"\0" * 64),
    )
    bad(
        "signature-es256-as-der",
        "signature",
        right(kid="test-only-hr-es256").rpartition(".")[0] + "." + b64(bytes.fromhex("3006020101020101")),
    )

    # issuer, audience
    bad(
        "iss-of-another-sender",
        "issuer",
        right(base | {"iss": IDP, "sub_id": {"format": "iss_sub", "iss": IDP, "sub": "E1001"}}),
        "the key is HR's, the issuer somebody else's",
    )
    bad("iss-missing", "claim-missing", right(departure(iss=None)))
    bad("iss-begins-alike", "issuer", right(base | {"iss": ISS[:-1]}))
    bad("aud-other", "audience", right(base | {"aud": "urn:shoumi:agent:elsewhere"}))
    bad("aud-list-of-one", "audience", right(base | {"aud": [SITE]}))
    bad("aud-list-of-two", "audience", right(base | {"aud": [SITE, "urn:other"]}))
    bad("aud-missing", "claim-missing", right(departure(aud=None)))
    bad("aud-empty", "claim-missing", right(base | {"aud": ""}))

    # claims
    bad("jti-missing", "claim-missing", right(departure(jti=None)), "without a number it could be replayed for ever")
    bad("jti-empty", "claim-wrong", right(base | {"jti": ""}))
    bad("jti-number", "claim-wrong", right(base | {"jti": 7}))
    bad("jti-blanks", "claim-wrong", right(base | {"jti": " 7 "}))
    bad("jti-control-bytes", "claim-wrong", right(base | {"jti": "7\u001b[2J"}))
    bad("jti-too-long", "claim-wrong", right(base | {"jti": "7" * 257}))
    bad("iat-missing", "claim-missing", right(departure(iat=None)))
    bad("iat-text", "claim-wrong", right(base | {"iat": str(NOW)}))
    bad("iat-true", "claim-wrong", right(base | {"iat": True}))
    bad("iat-negative", "claim-wrong", right(base | {"iat": -1}))
    bad(
        "iat-four-hundred-digits",
        "claim-wrong",
        signed(whole.replace(f'"iat": {NOW - 5}', f'"iat": {"9" * 400}', 1).encode()),
    )
    bad("iat-milliseconds", "claim-wrong", right(base | {"iat": NOW * 1000}), "the year 58886 is out of range")
    bad("iat-in-the-future", "from-the-future", right(base | {"iat": NOW + 61}))
    bad(
        "toe-in-the-future",
        "from-the-future",
        right(departure(toe=NOW + 3600)),
        "it would become a mark no right token reaches",
    )
    bad("toe-missing", "claim-missing", right(departure(toe=None)))
    bad("txn-missing", "claim-missing", right(departure(txn=None)))
    bad("txn-empty", "claim-wrong", right(departure(txn="")))
    bad("exp-present", "claim-forbidden", right(base | {"exp": NOW + 3600}))
    bad("exp-null", "claim-forbidden", signed(approved(base) | {"exp": None}))
    bad("sub-present", "claim-forbidden", right(base | {"sub": "E1001"}), "an access token could pass for an event")
    bad("nbf-present", "claim-forbidden", right(base | {"nbf": NOW}))
    bad("sub_id-missing", "claim-missing", right(departure(sub_id=None)))
    bad(
        "sub_id-of-another-issuer",
        "subject",
        right(base | {"sub_id": {"format": "iss_sub", "iss": IDP, "sub": "E1001"}}),
    )
    bad("sub_id-email", "subject", right(base | {"sub_id": {"format": "email", "email": "a@b.example"}}))
    bad(
        "sub_id-another-format-of-the-same-members",
        "subject",
        right(base | {"sub_id": {"format": "account", "iss": ISS, "sub": "E1001"}}),
    )
    bad(
        "sub_id-extra-member",
        "subject",
        right(base | {"sub_id": {"format": "iss_sub", "iss": ISS, "sub": "E1001", "sub2": "E0002"}}),
    )
    bad("sub_id-list", "subject", right(base | {"sub_id": ["E1001", "E0002"]}))
    bad("sub_id-empty", "subject", right(base | {"sub_id": {"format": "iss_sub", "iss": ISS, "sub": ""}}))
    bad("sub_id-number", "subject", right(base | {"sub_id": {"format": "iss_sub", "iss": ISS, "sub": 1001}}))
    bad("sub_id-invisible-character", "subject", right(departure("E10\u200b01")))

    # events
    bad("events-missing", "events", signed(departure(events=None)))
    bad("events-none-in-it", "events", signed(departure(events={})))
    bad("events-two", "events", right(base | {"events": details() | {RISC: {}}}))
    bad("events-list", "events", signed(departure(events=[DEPARTURE])))
    bad(
        "event-unknown",
        "event-unknown",
        small("https://schemas.openid.net/secevent/risc/event-type/account-enabled"),
        "nothing is ever restored by this channel",
    )
    bad("event-not-an-object", "event-wrong", signed(departure(events={DEPARTURE: True})))
    bad("event-kind-unknown", "event-wrong", right(departure(events=details(kind="promotion"))))
    bad("event-kind-missing", "event-wrong", right(departure(events=details(kind=None))))
    bad("event-member-misspelt", "event-wrong", right(departure(events=details(lastday="2026-12-31"))))
    bad("event-last-day-wrong", "event-wrong", right(departure(events=details(last_day="31.12.2026"))))
    bad("event-last-day-impossible", "event-wrong", right(departure(events=details(last_day="2026-02-30"))))
    bad("event-no-approvers", "event-wrong", signed(departure(events=details(approvers=[]))))
    both = base["events"][DEPARTURE]["approvers"]
    bad(
        "event-approver-named-twice",
        "approver-twice",
        right(departure(events=details(approvers=[*both, both[0] | {"role": "director"}]))),
    )
    bad(
        "event-leaver-named-as-approver",
        "own-approval",
        right(departure(events=details(approvers=[*both, {"role": "director", "by": "E1001", "at": NOW - 9}]))),
    )
    bad(
        "event-approved-in-the-future",
        "from-the-future",
        right(departure(events=details(approvers=[both[0], both[1] | {"at": NOW + 3600}]))),
    )

    # approvals
    a, b = approval(base), approval(base, "test-only-secrecy-office")
    bad("approvals-none", "approvals-missing", signed(base), "HR's own key is one person's power")
    bad("approvals-one", "approvals-missing", signed(approved(base, a)))
    bad("approvals-one-twice", "approver-twice", signed(approved(base, a, a)))
    bad(
        "approvals-two-keys-of-one-person",
        "approver-twice",
        signed(approved(base, a, approval(base, "test-only-personnel-spare"))),
    )
    bad("approvals-not-a-list", "claim-wrong", signed(base | {"approvals": a}))
    bad("approvals-not-text", "approval-wrong", signed(approved(base, a, {"payload": "e30"})))
    bad("approvals-nine", "claim-wrong", signed(approved(base, *[a] * 9)))
    bad(
        "approval-by-the-sender-itself",
        "key-purpose",
        signed(approved(base, a, approval(base, "test-only-hr-ed25519"))),
    )
    bad("approval-by-a-stranger", "approval-wrong", signed(approved(base, a, approval(base, STRANGER))))
    bad(
        "approval-forged-in-a-name",
        "approval-wrong",
        signed(
            approved(
                base,
                a,
                signed(
                    json.loads(base64.urlsafe_b64decode(b.split(".")[1] + "==")),
                    STRANGER,
                    APPROVAL,
                    {"kid": "test-only-personnel-spare", "alg": "ES256"},
                ),
            )
        ),
    )
    other = departure(txn="HR-2026-0041", jti="jti-E1001-")
    bad(
        "approval-of-another-case",
        "approval-of-something-else",
        signed(approved(base, a, approval(other, "test-only-secrecy-office"))),
    )
    bad(
        "approval-of-another-person",
        "approval-of-something-else",
        signed(approved(base, a, approval(departure("E0002"), "test-only-secrecy-office"))),
    )
    bad(
        "approval-of-another-kind",
        "approval-of-something-else",
        signed(approved(base, a, approval(departure(events=details(kind="transfer")), "test-only-secrecy-office"))),
    )
    bad(
        "approval-of-another-time",
        "approval-of-something-else",
        signed(approved(base, a, approval(departure(toe=NOW - 11), "test-only-secrecy-office"))),
        "an approval of an earlier departure of somebody who came back",
    )
    bad(
        "approval-for-another-site",
        "approval-wrong",
        signed(approved(base, a, approval(base | {"aud": "urn:shoumi:agent:elsewhere"}, "test-only-secrecy-office"))),
    )
    bad(
        "approval-without-facts",
        "approval-of-something-else",
        signed(approved(base, a, signed({"iss": ISS, "iat": NOW, "aud": SITE}, "test-only-secrecy-office", APPROVAL))),
    )
    bad(
        "approval-number-for-text",
        "approval-of-something-else",
        signed(
            approved(
                departure(events=details(**{"class": "1"})),
                a,
                approval(departure(events=details(**{"class": 1})), "test-only-secrecy-office"),
            )
        ),
    )
    bad(
        "approval-one-for-one-point-nought",
        "approval-of-something-else",
        signed(approved(base, a, approval(base | {"toe": float(NOW - 10)}, "test-only-secrecy-office"))),
        "another number to some programs",
    )
    bad(
        "approval-is-an-event-token",
        "approval-wrong",
        signed(approved(base, a, approval(base, "test-only-secrecy-office", SET))),
    )
    bad("approval-sent-as-an-event", "type", a)
    bad(
        "approval-in-the-future",
        "from-the-future",
        signed(approved(base, a, approval(base, "test-only-secrecy-office", iat=NOW + 3600))),
    )
    bad(
        "approval-by-somebody-not-named",
        "approver-not-named",
        signed(
            approved(
                only := departure(events=details(approvers=both[:1])),
                approval(only),
                approval(only, "test-only-secrecy-office"),
            )
        ),
    )
    own = departure("E0007", events=details(approvers=both[1:]))
    bad(
        "approval-by-the-leaver",
        "own-approval",
        signed(approved(own, approval(own), approval(own, "test-only-secrecy-office"))),
    )

    # history
    several("replay-same-bytes", "", ("accepted", right_once := right()), ("rejected replayed", right_once))
    several(
        "replay-padded",
        "PyJWT 2.15 reads the padded signature too",
        ("accepted", right_once),
        ("rejected replayed", right_once + "=="),
    )
    several("replay-line-end", "", ("accepted", right_once), ("rejected replayed", right_once + "\r\n"))
    es = right(kid="test-only-hr-es256")
    several(
        "replay-es256-other-half",
        "(r, n - s) is as right a signature as (r, s)",
        ("accepted", es),
        ("rejected replayed", other_half(es)),
    )
    several(
        "replay-padded-first",
        "whichever comes first is the event",
        ("accepted", right_once + "=="),
        ("rejected replayed", right_once),
    )
    claims = approved(base)
    several(
        "replay-signed-again",
        "same number and claims by another key of the issuer",
        ("accepted", signed(claims)),
        ("rejected replayed", signed(claims, "test-only-hr-rs256")),
    )
    es_both = [approval(base, "test-only-personnel-spare") for _ in range(2)]
    several(
        "replay-with-approvals-signed-again",
        "ES256 signatures differ each time",
        *(
            (e, signed(approved(base, one, b)))
            for e, one in zip(("accepted", "rejected replayed"), es_both, strict=True)
        ),
    )
    several(
        "replay-with-members-in-other-order",
        "",
        ("accepted", signed(claims)),
        ("rejected replayed", signed(dict(reversed(claims.items())))),
    )
    several(
        "number-reused-for-another-person",
        "",
        ("accepted", right()),
        ("rejected number-reused", right(departure("E0002", jti=base["jti"]))),
    )
    several(
        "number-of-another-issuer",
        "numbers are unique within an issuer only",
        ("accepted", small(jti="n-1")),
        ("accepted", small(CAEP, ISS, "test-only-hr-es256", jti="n-1", iat=NOW - 4)),
    )
    newer = departure(jti="newer", toe=NOW - 3, iat=NOW - 2)
    several("old-event-after-a-newer-one", "", ("accepted", right(newer)), ("quarantine superseded", right(base)))
    several(
        "old-departure-after-a-smaller-event",
        "a departure is never lost behind less",
        ("accepted", small(CAEP, iat=NOW - 1)),
        ("accepted", right(base)),
    )
    several(
        "old-smaller-event-after-a-departure",
        "there is nothing left to end",
        ("accepted", right(base)),
        ("quarantine superseded", small(CAEP, iat=NOW - 60)),
    )
    several(
        "correction-of-a-departure",
        "a newer one of the same case is taken",
        ("accepted", right(base)),
        ("accepted", right(newer)),
    )
    several(
        "unknown-employee",
        "kept and alarmed; dropped again it is judged again",
        ("quarantine unknown-person", right(departure("X9999"))),
        ("quarantine unknown-person", right(departure("X9999"))),
    )
    return made


def main() -> None:
    make_keys()
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for name, vector in vectors().items():
        vector = {"why": vector.pop("why") or name.replace("-", " "), "now": NOW, **copy.deepcopy(vector)}
        (FOLDER / f"{name}.json").write_text(json.dumps(vector, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
