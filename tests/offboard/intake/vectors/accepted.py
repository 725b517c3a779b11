"""Right tokens: each is accepted, and what is old is late."""

from collections.abc import Iterator

from tests.offboard.intake.signing import CAEP, NOW, departure, right, signed, small
from tests.offboard.intake.vectors.vector import one


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
