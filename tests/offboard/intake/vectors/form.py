"""Tokens that are none, or are too large, too deep, or no JSON that every reader reads alike."""

import json
from collections.abc import Iterator

from tests.offboard.intake.signing import ISS, NOW, approved, by_hand, departure, right, signed
from tests.offboard.intake.vectors.vector import bad


def vectors() -> Iterator[tuple[str, dict]]:
    base = departure()
    whole = json.dumps(approved(base), ensure_ascii=True)

    yield bad("form-empty", "not-a-token", "")
    yield bad("form-garbage", "not-a-token", "hello, this is not a token\n")
    yield bad("form-two-parts", "not-a-token", right().rpartition(".")[0])
    yield bad("form-four-parts", "not-a-token", right() + ".AAAA")
    yield bad(
        "form-json-serialization", "not-a-token", json.dumps({"payload": "e30", "protected": "e30", "signature": "AA"})
    )
    yield bad(
        "form-spare-bits-in-base64",
        "not-a-token",
        right(kid="test-only-hr-ed25519")[:-1] + "B",
        "the last character of a 64-byte signature holds four spare bits",
    )
    yield bad("form-half-written", "not-a-token", right()[: len(right()) // 3], "cut in the payload")
    yield bad("size-more-than-64-KiB", "too-large", right(base | {"extra": "x" * 49_152}))
    yield bad("depth-in-a-claim", "too-deep", right(base | {"extra": json.loads("[" * 40 + "]" * 40)}))
    yield bad(
        "depth-in-the-header",
        "too-deep",
        by_hand(
            b'{"alg":"EdDSA","typ":"secevent+jwt","kid":' + b"[" * 5000 + b"]" * 5000 + b"}",
            b"{}",
            "test-only-hr-ed25519",
        ),
    )
    yield bad(
        "depth-hidden-by-an-open-string",
        "too-deep",
        by_hand(
            b'{"alg":"EdDSA","typ":"secevent+jwt","kid":"test-only-hr-ed25519"}',
            b"[" * 20 + b'"' + b'\\"' * 500,
            "test-only-hr-ed25519",
        ),
    )
    yield bad("json-payload-is-a-list", "not-json", signed(b"[1]"))
    yield bad("json-payload-is-empty", "not-a-token", signed(b""))
    yield bad("json-utf-16", "not-json", signed(whole.encode("utf-16-le")), "PyJWT guesses the encoding, and reads it")
    yield bad("json-not-a-number", "not-json", signed(whole.replace(str(NOW - 5), "NaN", 1).encode()))
    yield bad("json-infinite", "not-json", signed(whole.replace(f'"iat": {NOW - 5}', '"iat": 1e999', 1).encode()))
    yield bad("json-lone-surrogate", "not-json", signed(whole.replace("HR-2026-0042", "\\ud800", 1).encode()))
    yield bad("json-two-objects", "not-json", signed(b"{}{}"))
    yield bad(
        "duplicate-claim-subject",
        "duplicate-member",
        signed(whole[:-1].encode() + b', "sub_id": {"format": "iss_sub", "iss": "%s", "sub": "E0002"}}' % ISS.encode()),
        "the last one wins in most readers",
    )
    yield bad(
        "duplicate-member-in-the-event",
        "duplicate-member",
        signed(whole.replace('"kind": "resignation"', '"kind": "resignation", "kind": "dismissal"').encode()),
    )
    yield bad(
        "duplicate-member-in-the-header",
        "duplicate-member",
        by_hand(
            b'{"alg":"none","alg":"EdDSA","typ":"secevent+jwt","kid":"test-only-hr-ed25519"}',
            whole.encode(),
            "test-only-hr-ed25519",
        ),
    )
