"""Tokens that come again, in other clothes, or in the wrong order."""

from collections.abc import Iterator

from tests.offboard.intake.signing import (
    CAEP,
    ISS,
    NOW,
    approval,
    approved,
    departure,
    details,
    other_half,
    right,
    signed,
    small,
)
from tests.offboard.intake.vectors.vector import several


def vectors() -> Iterator[tuple[str, dict]]:
    base = departure()

    yield several("replay-same-bytes", "", ("accepted", right_once := right()), ("rejected replayed", right_once))
    yield several(
        "replay-padded",
        "PyJWT 2.15 reads the padded signature too",
        ("accepted", right_once),
        ("rejected replayed", right_once + "=="),
    )
    yield several("replay-line-end", "", ("accepted", right_once), ("rejected replayed", right_once + "\r\n"))
    es = right(kid="test-only-hr-es256")
    yield several(
        "replay-es256-other-half",
        "(r, n - s) is as right a signature as (r, s)",
        ("accepted", es),
        ("rejected replayed", other_half(es)),
    )
    yield several(
        "replay-padded-first",
        "whichever comes first is the event",
        ("accepted", right_once + "=="),
        ("rejected replayed", right_once),
    )
    claims = approved(base)
    yield several(
        "replay-signed-again",
        "same number and claims by another key of the issuer",
        ("accepted", signed(claims)),
        ("rejected replayed", signed(claims, "test-only-hr-rs256")),
    )
    b = approval(base, "test-only-secrecy-office")
    es_both = [approval(base, "test-only-personnel-spare") for _ in range(2)]
    yield several(
        "replay-with-approvals-signed-again",
        "ES256 signatures differ each time",
        *(
            (e, signed(approved(base, one, b)))
            for e, one in zip(("accepted", "rejected replayed"), es_both, strict=True)
        ),
    )
    yield several(
        "replay-with-members-in-other-order",
        "",
        ("accepted", signed(claims)),
        ("rejected replayed", signed(dict(reversed(claims.items())))),
    )
    yield several(
        "number-reused-for-another-person",
        "",
        ("accepted", right()),
        ("rejected number-reused", right(departure("E0002", jti=base["jti"]))),
    )
    yield several(
        "number-of-another-issuer",
        "numbers are unique within an issuer only",
        ("accepted", small(jti="n-1")),
        ("accepted", small(CAEP, ISS, "test-only-hr-es256", jti="n-1", iat=NOW - 4)),
    )
    newer = departure(jti="newer", toe=NOW - 3, iat=NOW - 2)
    yield several("old-event-after-a-newer-one", "", ("accepted", right(newer)), ("quarantine superseded", right(base)))
    yield several(
        "old-departure-after-a-smaller-event",
        "a departure is never lost behind less",
        ("accepted", small(CAEP, iat=NOW - 1)),
        ("accepted", right(base)),
    )
    yield several(
        "old-smaller-event-after-a-departure",
        "there is nothing left to end",
        ("accepted", right(base)),
        ("quarantine superseded", small(CAEP, iat=NOW - 60)),
    )
    transfer = departure(jti="transfer", toe=NOW - 3, iat=NOW - 2, events=details(kind="transfer"))
    yield several(
        "old-resignation-after-a-newer-transfer",
        "a resignation ends more than a transfer, whatever came later",
        ("accepted", right(transfer)),
        ("accepted", right(base)),
    )
    yield several(
        "old-transfer-after-a-newer-resignation",
        "there is nothing left to end",
        ("accepted", right(newer)),
        ("quarantine superseded", right(departure(jti="transfer", events=details(kind="transfer")))),
    )
    yield several(
        "old-disabled-account-after-a-newer-transfer",
        "a transfer leaves the account",
        ("accepted", right(transfer)),
        ("accepted", small(iat=NOW - 60)),
    )
    yield several(
        "superseded-and-dropped-again",
        "it waits for an officer, however often it comes",
        ("accepted", right(newer)),
        ("quarantine superseded", right(base)),
        ("quarantine superseded", right(base)),
    )
    yield several(
        "correction-of-a-departure",
        "a newer one of the same case is taken",
        ("accepted", right(base)),
        ("accepted", right(newer)),
    )
    yield several(
        "unknown-employee",
        "kept and alarmed; dropped again it is judged again",
        ("quarantine unknown-person", right(departure("X9999"))),
        ("quarantine unknown-person", right(departure("X9999"))),
    )
