"""Algorithms, types and keys that a header may not name, and signatures that prove nothing."""

import json
from collections.abc import Iterator

from jwt.algorithms import OKPAlgorithm

from tests.offboard.intake.signing import SET, STRANGER, approved, b64, departure, hs256, private, right, signed
from tests.offboard.intake.vectors.vector import bad


def vectors() -> Iterator[tuple[str, dict]]:
    base = departure()
    whole = json.dumps(approved(base), ensure_ascii=True)

    # header and key
    yield bad(
        "alg-none",
        "algorithm",
        b64(b'{"alg":"none","typ":"secevent+jwt","kid":"test-only-hr-ed25519"}') + f".{b64(whole.encode())}.AA",
    )
    public = OKPAlgorithm.from_jwk(private("test-only-hr-ed25519")).public_key().public_bytes_raw()
    head = {"alg": "HS256", "typ": SET, "kid": "test-only-hr-ed25519"}
    yield bad("alg-hs256-with-the-public-key", "algorithm", hs256(head, whole.encode(), public))
    yield bad("alg-hs256-with-the-public-key-in-hex", "algorithm", hs256(head, whole.encode(), public.hex().encode()))
    yield bad(
        "alg-of-another-key",
        "algorithm",
        signed(approved(base), "test-only-hr-es256", header={"kid": "test-only-hr-ed25519"}),
    )
    yield bad(
        "alg-es384-named-for-es256", "algorithm", signed(approved(base), "test-only-hr-es256", header={"alg": "ES384"})
    )
    yield bad("alg-missing", "algorithm", signed(approved(base), header={"alg": None}))
    yield bad("typ-jwt", "type", signed(approved(base), typ="JWT"))
    yield bad("typ-missing", "type", signed(approved(base), header={"typ": None}))
    yield bad("typ-access-token", "type", signed(approved(base), typ="at+jwt"))
    yield bad("kid-missing", "key-unknown", signed(approved(base), header={"kid": None}))
    yield bad("kid-unknown", "key-unknown", signed(approved(base), STRANGER))
    yield bad("kid-is-a-number", "key-unknown", signed(approved(base), header={"kid": 1}))
    yield bad("kid-is-a-path", "key-unknown", signed(approved(base), header={"kid": "../../../../dev/null"}))
    jwk = {name: private(STRANGER)[name] for name in ("kty", "crv", "x")}
    yield bad(
        "header-own-key-inside",
        "header",
        signed(approved(base), STRANGER, header={"jwk": jwk, "kid": "test-only-hr-ed25519"}),
    )
    yield bad("header-key-address", "header", right(jku="https://attacker.example/jwks"))
    yield bad("header-critical-extension", "header", right(crit=["exp"]))
    yield bad("header-unencoded-payload", "header", right(b64=False, crit=["b64"]))
    yield bad("key-of-an-approver-sends", "key-purpose", signed(approved(base), "test-only-personnel"))

    # signature
    token = right()
    yield bad(
        "signature-of-another-key",
        "signature",
        signed(approved(base), STRANGER, header={"kid": "test-only-hr-ed25519"}),
    )
    yield bad("signature-one-bit", "signature", token[:-20] + ("A" if token[-20] != "A" else "B") + token[-19:])
    yield bad("signature-cut", "signature", token[:-22], "48 bytes of 64")
    yield bad(
        "signature-of-other-claims",
        "signature",
        ".".join([token.split(".")[0], b64(whole.replace("E1001", "E0002").encode()), token.split(".")[2]]),
    )
    yield bad(
        "signature-es256-all-zero",
        "signature",
        right(kid="test-only-hr-es256").rpartition(".")[0] + "." + b64(b"\0" * 64),
    )
    yield bad(
        "signature-es256-as-der",
        "signature",
        right(kid="test-only-hr-es256").rpartition(".")[0] + "." + b64(bytes.fromhex("3006020101020101")),
    )
