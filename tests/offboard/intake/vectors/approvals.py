"""Approvals: too few, by one person, by a stranger, or of something else."""

import base64
import json
from collections.abc import Iterator

from tests.offboard.intake.signing import (
    APPROVAL,
    DEPARTURE,
    ISS,
    NOW,
    SET,
    SITE,
    STRANGER,
    approval,
    approved,
    departure,
    details,
    signed,
)
from tests.offboard.intake.vectors.vector import bad


def vectors() -> Iterator[tuple[str, dict]]:
    base = departure()
    both = base["events"][DEPARTURE]["approvers"]

    a, b = approval(base), approval(base, "test-only-secrecy-office")
    yield bad("approvals-none", "approvals-missing", signed(base), "HR's own key is one person's power")
    yield bad("approvals-one", "approvals-missing", signed(approved(base, a)))
    yield bad("approvals-one-twice", "approver-twice", signed(approved(base, a, a)))
    yield bad(
        "approvals-two-keys-of-one-person",
        "approver-twice",
        signed(approved(base, a, approval(base, "test-only-personnel-spare"))),
    )
    yield bad("approvals-not-a-list", "claim-wrong", signed(base | {"approvals": a}))
    yield bad("approvals-not-text", "approval-wrong", signed(approved(base, a, {"payload": "e30"})))
    yield bad("approvals-nine", "claim-wrong", signed(approved(base, *[a] * 9)))
    yield bad(
        "approval-by-the-sender-itself",
        "key-purpose",
        signed(approved(base, a, approval(base, "test-only-hr-ed25519"))),
    )
    yield bad("approval-by-a-stranger", "approval-wrong", signed(approved(base, a, approval(base, STRANGER))))
    yield bad(
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
    yield bad(
        "approval-of-another-case",
        "approval-of-something-else",
        signed(approved(base, a, approval(other, "test-only-secrecy-office"))),
    )
    yield bad(
        "approval-of-another-person",
        "approval-of-something-else",
        signed(approved(base, a, approval(departure("E0002"), "test-only-secrecy-office"))),
    )
    yield bad(
        "approval-of-another-kind",
        "approval-of-something-else",
        signed(approved(base, a, approval(departure(events=details(kind="transfer")), "test-only-secrecy-office"))),
    )
    yield bad(
        "approval-of-another-time",
        "approval-of-something-else",
        signed(approved(base, a, approval(departure(toe=NOW - 11), "test-only-secrecy-office"))),
        "an approval of an earlier departure of somebody who came back",
    )
    yield bad(
        "approval-for-another-site",
        "approval-wrong",
        signed(approved(base, a, approval(base | {"aud": "urn:shoumi:agent:elsewhere"}, "test-only-secrecy-office"))),
    )
    yield bad(
        "approval-without-facts",
        "approval-of-something-else",
        signed(approved(base, a, signed({"iss": ISS, "iat": NOW, "aud": SITE}, "test-only-secrecy-office", APPROVAL))),
    )
    yield bad(
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
    yield bad(
        "approval-one-for-one-point-nought",
        "approval-of-something-else",
        signed(approved(base, a, approval(base | {"toe": float(NOW - 10)}, "test-only-secrecy-office"))),
        "another number to some programs",
    )
    yield bad(
        "approval-is-an-event-token",
        "approval-wrong",
        signed(approved(base, a, approval(base, "test-only-secrecy-office", SET))),
    )
    yield bad("approval-sent-as-an-event", "type", a)
    yield bad(
        "approval-in-the-future",
        "from-the-future",
        signed(approved(base, a, approval(base, "test-only-secrecy-office", iat=NOW + 90_000))),
    )
    yield bad(
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
    yield bad(
        "approval-by-the-leaver",
        "own-approval",
        signed(approved(own, approval(own), approval(own, "test-only-secrecy-office"))),
    )
