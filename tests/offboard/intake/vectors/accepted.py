"""Right tokens: each is accepted, and what is old is late."""

from collections.abc import Iterator

from tests.offboard.intake.signing import (
    CAEP,
    IDP,
    NOW,
    RISC,
    SITE,
    VERIFICATION,
    approved,
    departure,
    right,
    signed,
    small,
)
from tests.offboard.intake.vectors.vector import one

_RISC = "https://schemas.openid.net/secevent/risc/event-type/"


def _typed(typ):
    return signed(approved(departure()), typ=typ)


def vectors() -> Iterator[tuple[str, dict]]:
    base = departure()

    yield one("right-eddsa", "a departure approved by two", "accepted", right())
    yield one("right-es256", "", "accepted", right(kid="test-only-hr-es256"))
    yield one("right-rs256", "", "accepted", right(kid="test-only-hr-rs256"))
    yield one("right-risc-account-disabled", "RISC; reason is optional", "accepted", small())
    yield one(
        "right-caep-session-revoked",
        "CAEP with its own time",
        "accepted",
        small(CAEP, events={CAEP: {"event_timestamp": NOW - 9}}),
    )
    yield one(
        "right-with-unknown-claim",
        "a claim nobody asked for is ignored",
        "accepted",
        right(base | {"extra": [1, {"a": None}]}),
    )
    yield one("right-line-end", "a newline after the token", "accepted", right() + "\n")
    yield one(
        "right-clock-of-hr-fast",
        "iat 59 s in the future, within the leeway",
        "accepted",
        right(departure(iat=NOW + 59, toe=NOW + 30)),
    )
    yield one(
        "ahead-an-hour",
        "it waits until its time has come, and is judged again by itself",
        "new ahead",
        right(departure(iat=NOW + 3600, toe=NOW + 3500)),
    )
    yield one("typ-in-capitals", "case does not matter (RFC 7515 section 4.1.9)", "accepted", _typed("SECEVENT+JWT"))
    yield one("typ-in-full", "nor does the part before the slash", "accepted", _typed("application/secevent+jwt"))
    yield one("aud-list-of-one", "a list of one is that one", "accepted", right(base | {"aud": [SITE]}))
    yield one(
        "dialect-risc-subject-in-the-event",
        "RISC before 1.0, with its names of members",
        "accepted",
        small(sub_id=None, events={RISC: {"subject": {"subject_type": "iss-sub", "iss": IDP, "sub": "E1001"}}}),
    )
    yield one("dialect-risc-account-purged", "RISC 1.0 section 2.2", "accepted", small(f"{_RISC}account-purged"))
    yield one("dialect-risc-sessions-revoked", "RISC 1.0 section 2.9", "accepted", small(f"{_RISC}sessions-revoked"))
    yield one("dialect-scim-deactivate", "RFC 9967", "accepted", small("urn:ietf:params:scim:event:prov:deactivate"))
    yield one(
        "dialect-complex-subject-of-one-user",
        "SSF 1.0 section 3.2",
        "accepted",
        small(CAEP, sub_id={"format": "complex", "user": {"format": "iss_sub", "iss": IDP, "sub": "E1001"}}),
    )
    yield one(
        "dialect-caep-milliseconds",
        "drafts of CAEP had them",
        "accepted late",
        small(CAEP, events={CAEP: {"event_timestamp": (NOW - 86_400) * 1000}}),
    )
    yield one(
        "verification",
        "SSF: a sign of life, which ends nothing",
        "accepted",
        small(VERIFICATION, sub_id={"format": "opaque", "id": "stream-1"}, events={VERIFICATION: {"state": "x1"}}),
    )
    yield one("right-half-seconds", "a NumericDate may have a fraction", "accepted", right(departure(toe=NOW - 10.25)))
    yield one(
        "old-ten-years",
        "old is late, and never lost",
        "accepted late",
        right(departure(iat=NOW - 315_360_000, toe=NOW - 315_360_001)),
    )
    yield one(
        "old-approved-yesterday-sent-now",
        "late counts from the approval",
        "accepted late",
        right(departure(toe=NOW - 86_400)),
    )
    yield one(
        "old-caep-by-its-own-time",
        "event_timestamp is when it happened",
        "accepted late",
        small(CAEP, events={CAEP: {"event_timestamp": NOW - 86_400}}),
    )
    yield one("none-needed-no-approvals", "a site may need none", "accepted", signed(base), approvals_needed=0)
