"""Claims and events that are missing, wrong, forbidden or meant for somebody else."""

import json
from collections.abc import Iterator

from tests.offboard.intake.signing import (
    CAEP,
    DEPARTURE,
    IDP,
    ISS,
    NOW,
    RISC,
    SITE,
    approved,
    departure,
    details,
    right,
    signed,
    small,
)
from tests.offboard.intake.vectors.vector import bad, one


def vectors() -> Iterator[tuple[str, dict]]:
    base = departure()
    whole = json.dumps(approved(base), ensure_ascii=True)

    # issuer, audience
    yield bad(
        "iss-of-another-sender",
        "issuer",
        right(base | {"iss": IDP, "sub_id": {"format": "iss_sub", "iss": IDP, "sub": "E1001"}}),
        "the key is HR's, the issuer somebody else's",
    )
    yield bad("iss-missing", "claim-missing", right(departure(iss=None)))
    yield bad("iss-begins-alike", "issuer", right(base | {"iss": ISS[:-1]}))
    yield bad("aud-other", "audience", right(base | {"aud": "urn:shoumi:agent:elsewhere"}))
    yield bad("aud-list-of-two", "audience", right(base | {"aud": [SITE, "urn:other"]}))
    yield bad("aud-missing", "claim-missing", right(departure(aud=None)))
    yield bad("aud-empty", "claim-missing", right(base | {"aud": ""}))

    # claims
    yield bad(
        "jti-missing", "claim-missing", right(departure(jti=None)), "without a number it could be replayed for ever"
    )
    yield bad("jti-empty", "claim-wrong", right(base | {"jti": ""}))
    yield bad("jti-number", "claim-wrong", right(base | {"jti": 7}))
    yield bad("jti-blanks", "claim-wrong", right(base | {"jti": " 7 "}))
    yield bad("jti-control-bytes", "claim-wrong", right(base | {"jti": "7\u001b[2J"}))
    yield bad("jti-too-long", "claim-wrong", right(base | {"jti": "7" * 257}))
    yield bad("iat-missing", "claim-missing", right(departure(iat=None)))
    yield bad("iat-text", "claim-wrong", right(base | {"iat": str(NOW)}))
    yield bad("iat-true", "claim-wrong", right(base | {"iat": True}))
    yield bad("iat-negative", "claim-wrong", right(base | {"iat": -1}))
    yield bad(
        "iat-four-hundred-digits",
        "claim-wrong",
        signed(whole.replace(f'"iat": {NOW - 5}', f'"iat": {"9" * 400}', 1).encode()),
    )
    yield bad("iat-milliseconds", "claim-wrong", right(base | {"iat": NOW * 1000}), "the year 58886 is out of range")
    yield bad("iat-in-the-future", "from-the-future", right(base | {"iat": NOW + 86_461}))
    yield bad(
        "toe-in-the-future",
        "from-the-future",
        right(departure(toe=NOW + 90_000)),
        "it would become a mark no right token reaches",
    )
    yield bad("toe-missing", "claim-missing", right(departure(toe=None)))
    yield bad("txn-missing", "claim-missing", right(departure(txn=None)))
    yield bad("txn-empty", "claim-wrong", right(departure(txn="")))
    yield bad("exp-present", "claim-forbidden", right(base | {"exp": NOW + 3600}))
    yield bad("exp-null", "claim-forbidden", signed(approved(base) | {"exp": None}))
    yield bad(
        "sub-present", "claim-forbidden", right(base | {"sub": "E1001"}), "an access token could pass for an event"
    )
    yield bad("nbf-present", "claim-forbidden", right(base | {"nbf": NOW}))
    yield bad("sub_id-missing", "claim-missing", right(departure(sub_id=None)))
    yield one(
        "sub_id-of-another-issuer",
        "whose number that is, the site must say",
        "quarantine unknown-person",
        right(base | {"sub_id": {"format": "iss_sub", "iss": IDP, "sub": "E1001"}}),
    )
    yield one(
        "sub_id-email",
        "whose address that is, the site must say",
        "quarantine unknown-person",
        right(base | {"sub_id": {"format": "email", "email": "a@b.example"}}),
    )
    yield bad("sub_id-email-and-more", "subject", right(base | {"sub_id": {"format": "email", "email": "a@b", "x": 1}}))
    yield bad(
        "sub_id-of-a-session",
        "subject",
        small(CAEP, sub_id={"format": "complex", "user": {"format": "email", "email": "a@b"}, "session": {}}),
        "narrower than a person",
    )
    yield bad(
        "sub_id-and-another-subject",
        "subject",
        small(events={RISC: {"subject": {"subject_type": "iss-sub", "iss": IDP, "sub": "E0002"}}}),
        "two people in one token",
    )
    yield bad(
        "sub_id-another-format-of-the-same-members",
        "subject",
        right(base | {"sub_id": {"format": "account", "iss": ISS, "sub": "E1001"}}),
    )
    yield bad(
        "sub_id-extra-member",
        "subject",
        right(base | {"sub_id": {"format": "iss_sub", "iss": ISS, "sub": "E1001", "sub2": "E0002"}}),
    )
    yield bad("sub_id-list", "subject", right(base | {"sub_id": ["E1001", "E0002"]}))
    yield bad("sub_id-empty", "subject", right(base | {"sub_id": {"format": "iss_sub", "iss": ISS, "sub": ""}}))
    yield bad("sub_id-number", "subject", right(base | {"sub_id": {"format": "iss_sub", "iss": ISS, "sub": 1001}}))
    yield bad("sub_id-invisible-character", "subject", right(departure("E10\u200b01")))

    # events
    yield bad("events-missing", "events", signed(departure(events=None)))
    yield bad("events-none-in-it", "events", signed(departure(events={})))
    yield bad("events-two", "events", right(base | {"events": details() | {RISC: {}}}))
    yield bad("events-list", "events", signed(departure(events=[DEPARTURE])))
    yield bad(
        "event-unknown",
        "event-unknown",
        small("https://schemas.openid.net/secevent/risc/event-type/account-enabled"),
        "nothing is ever restored by this channel",
    )
    yield bad("event-not-an-object", "event-wrong", signed(departure(events={DEPARTURE: True})))
    yield bad("event-kind-unknown", "event-wrong", right(departure(events=details(kind="promotion"))))
    yield bad("event-kind-missing", "event-wrong", right(departure(events=details(kind=None))))
    yield bad("event-member-misspelt", "event-wrong", right(departure(events=details(lastday="2026-12-31"))))
    yield bad("event-last-day-wrong", "event-wrong", right(departure(events=details(last_day="31.12.2026"))))
    for name, day in (("of-the-last-year", "9998-12-31"), ("without-an-offset", "2049-12-31T12:00")):
        yield bad(f"event-leave-date-{name}", "event-wrong", right(departure(events=details(effective=day))))
    yield bad("event-last-day-impossible", "event-wrong", right(departure(events=details(last_day="2026-02-30"))))
    yield bad("event-no-approvers", "event-wrong", signed(departure(events=details(approvers=[]))))
    both = base["events"][DEPARTURE]["approvers"]
    yield bad(
        "event-approver-named-twice",
        "approver-twice",
        right(departure(events=details(approvers=[*both, both[0] | {"role": "director"}]))),
    )
    yield bad(
        "event-leaver-named-as-approver",
        "own-approval",
        right(departure(events=details(approvers=[*both, {"role": "director", "by": "E1001", "at": NOW - 9}]))),
    )
    yield bad(
        "event-approved-in-the-future",
        "from-the-future",
        right(departure(events=details(approvers=[both[0], both[1] | {"at": NOW + 90_000}]))),
    )
