"""Every vector of ``tokens/`` through the whole inbox: a real file in a real spool, a real database."""

import dataclasses
import json
import os

import pytest

from agent.offboard.intake import pinned_keys
from agent.offboard.intake.notice import HrEvent
from agent.offboard.intake.reasons import REASONS, BadTokenError
from agent.offboard.intake.token import verify
from tests.offboard.intake.signing import departure, details, right
from tests.offboard.intake.site import KEYS, NOW, TOKENS, Site
from tests.sentences import en

PINNED = pinned_keys.load(KEYS / "hr-keys.json")
VECTORS = sorted(TOKENS.glob("*.json"))


def read(path):
    return json.loads(path.read_text())


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_inbox_does_with_it_what_the_vector_says(path, tmp_path):
    vector = read(path)
    pinned = read(KEYS / "hr-keys.json") | {k: vector[k] for k in ("approvals_needed",) if k in vector}
    with Site(tmp_path, pinned=json.dumps(pinned).encode()) as site:
        assert NOW.timestamp() == vector["now"]
        for number, drop in enumerate(vector["drops"]):
            site.drop(drop["token"], f"drop-{number}")
            [done] = site.sweep()
            assert (done.folder, done.reason) == (drop["folder"], drop["reason"]), en(done.text)
            if done.folder == "new":
                continue
            assert os.path.exists(tmp_path / "spool" / done.folder / f"{done.filed_as}.set")
            reason = read(tmp_path / "spool" / done.folder / f"{done.filed_as}.json")
            assert (reason["reason"], reason["file"]) == (drop["reason"], f"drop-{number}.set")
        assert len(site.noted) == len(vector["drops"])
        assert not site.troubles
        assert site.kept() == len(vector["drops"])
        accepted = [drop for drop in vector["drops"] if drop["folder"] == "accepted"] * (path.stem != "verification")
        assert len(site.handed) == len(accepted)
        site.reopen()
        assert not [done for done in site.sweep() if done.folder != "new"]
        assert len(site.handed) == len(accepted)


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_verifier_alone_finds_the_same_in_a_first_token(path):
    vector = read(path)
    pinned = dataclasses.replace(PINNED, approvals_needed=vector.get("approvals_needed", 2))
    [drop, *_] = vector["drops"]
    try:
        found = "late" if verify(drop["token"].encode(), pinned, NOW).late else "accepted"
    except BadTokenError as error:
        found = error.reason
    assert found == ("accepted" if drop["folder"] == "quarantine" else drop["reason"])


def test_every_reason_a_token_can_have_is_in_a_vector():
    of_files = {"not-a-file", "wrong-owner", "hard-linked", "unreadable"}
    of_people = {"approver-out", "not-begun", "refused", "overtaken", "sooner"}
    shown = {drop["reason"] for path in VECTORS for drop in read(path)["drops"]}
    assert shown == REASONS.keys() - of_files - of_people


def test_what_a_right_token_says():
    token = read(TOKENS / "right-eddsa.json")["drops"][0]["token"]
    notice = verify(token.encode(), PINNED, NOW)
    assert (notice.subject, notice.txn, notice.late) == ("E1001", "HR-2026-0042", False)
    assert notice.event is HrEvent.DEPARTURE_APPROVED
    assert notice.kid == "test-only-hr-ed25519"
    assert [approval.kid for approval in notice.approvals] == ["test-only-personnel", "test-only-secrecy-office"]
    assert [(one.role, one.person) for one in notice.approvals] == [("personnel", "E0007"), ("secrecy-office", "E0008")]
    assert notice.details["last_day"] == "2026-12-31"
    assert notice.key == ("https://hr.test-only.example", "jti-E1001-")


@pytest.mark.parametrize(
    ("member", "value", "taken"),
    [
        ("cooling_off_until", "2026-12-02", True),
        ("cooling_off_until", "2076-11-30", True),
        ("cooling_off_until", "2026-11-30", False),  # the day of the approval
        ("cooling_off_until", "1970-01-01", False),
        ("cooling_off_until", "2099-01-01", False),  # nobody lives so long
        ("cooling_off_until", "9999-12-31", False),
        ("class", "核心", True),
        ("class", "", False),
        ("class", "核心\n", False),
    ],
)
def test_what_is_said_beside_an_approval_makes_sense_or_the_token_is_not_taken(member, value, taken):
    token = right(departure(events=details(**{member: value}))).encode()
    if taken:
        assert verify(token, PINNED, NOW).details[member] == value
    else:
        with pytest.raises(BadTokenError, match=member):
            verify(token, PINNED, NOW)


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_cut_anywhere_a_token_is_refused_and_nothing_else_happens(path):
    token = read(path)["drops"][0]["token"].strip().rstrip("=").encode()
    for end in range(0, len(token) - 1, 1 + len(token) // 23):
        with pytest.raises(BadTokenError):
            verify(token[:end], PINNED, NOW)


@pytest.mark.parametrize(
    ("members", "wrong"),
    [
        ({"effective": "2026-12-31"}, False),
        ({"effective": "2026-12-31T12:00+08:00"}, False),
        ({"effective": "2026-12-31T12:00"}, True),  # by whose clock?
        ({"effective": "31.12.2026"}, True),
        ({"effective": "9999-12-31"}, True),
        ({"effective": 1798718400}, True),
        ({"kind": "layoff", "batch": "2026-A"}, False),
        ({"kind": "layoff", "batch": ""}, True),
        ({"kind": "long-leave"}, False),
        ({"kind": "death"}, False),
        ({"kind": "rehired", "post": "顾问"}, False),
        ({"kind": "layoff", "post": "顾问"}, True),
    ],
    ids=str,
)
def test_a_leave_date_and_the_kinds_are_read_in_one_right_form(members: dict[str, object], *, wrong: bool) -> None:
    token = right(departure(events=details(**members))).encode()
    if wrong:
        with pytest.raises(BadTokenError) as refused:
            verify(token, PINNED, NOW)
        assert refused.value.reason == "event-wrong"
    else:
        assert verify(token, PINNED, NOW).details.items() >= members.items()
