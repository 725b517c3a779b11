"""What each member of a notice may be, and what it may not: a name, a time, a subject, an approver."""

from datetime import timedelta

import pytest

from agent.offboard.intake import pinned_keys
from agent.offboard.intake.notice import HrEvent
from agent.offboard.intake.reasons import BadTokenError
from agent.offboard.intake.token import verify
from rules.offboarding.vocabulary import CaseKind
from tests.offboard.intake.signing import CAEP, DEPARTURE, IDP, departure, details, right, small
from tests.offboard.intake.site import KEYS, NOW

PINNED = pinned_keys.load(KEYS / "hr-keys.json")
AT = NOW.timestamp()
FIRST, SECOND = departure()["events"][DEPARTURE]["approvers"]


def reason(token):
    """Return why *token* is refused, empty when it is right."""
    try:
        verify(token.encode(), PINNED, NOW)
    except BadTokenError as error:
        return error.reason
    return ""


@pytest.mark.parametrize("kind", [CaseKind.TRANSFER, CaseKind.REHIRED])
@pytest.mark.parametrize("where", ["department", "post"])
def test_who_is_transferred_or_rehired_may_go_somewhere_that_has_a_name(kind, where):
    assert reason(right(departure(events=details(kind=kind.value, **{where: "x"})))) == ""
    for wrong in ("", " x", "x\n", 7, None, ["x"]):
        given = details(kind=kind.value)
        given[DEPARTURE][where] = wrong
        assert reason(right(departure(events=given))) == "event-wrong", wrong


@pytest.mark.parametrize(
    ("approver", "outcome"),
    [
        (SECOND, ""),
        (SECOND | {"signature": "x"}, "event-wrong"),  # attack: a member that another reader may believe
        (SECOND | {"person": "E0008"}, "event-wrong"),
        (SECOND | {"opinion": 7}, "event-wrong"),
        (SECOND | {"opinion": None}, "event-wrong"),
        (SECOND | {"opinion": ""}, ""),
        (SECOND | {"role": ""}, "event-wrong"),
        (SECOND | {"by": " E0008"}, "event-wrong"),
        (SECOND | {"by": 8}, "event-wrong"),
        (SECOND | {"at": "2026-12-01"}, "event-wrong"),
        (SECOND | {"at": True}, "event-wrong"),
        (SECOND | {"at": 0}, "event-wrong"),
        (SECOND | {"by": FIRST["by"]}, "approver-twice"),
        (SECOND | {"by": "E1001"}, "own-approval"),
        ({name: value for name, value in SECOND.items() if name != "role"}, "claim-missing"),
        ({name: value for name, value in SECOND.items() if name != "by"}, "claim-missing"),
        ({name: value for name, value in SECOND.items() if name != "at"}, "claim-missing"),
        ("E0008", "event-wrong"),
        (None, "event-wrong"),
    ],
)
def test_an_approver_has_a_role_a_name_a_time_an_opinion_and_nothing_else(approver, outcome):
    assert reason(right(departure(events=details(approvers=[FIRST, approver])))) == outcome


def test_there_are_as_many_approvers_as_somebody_can_check():
    many = [SECOND | {"by": f"E{number:04}"} for number in range(10, 27)]
    needed = [FIRST, SECOND]
    assert reason(right(departure(events=details(approvers=needed + many[:14])))) == ""
    assert reason(right(departure(events=details(approvers=needed + many[:15])))) == "event-wrong"


@pytest.mark.parametrize("unit", [1, 1000])
@pytest.mark.parametrize("ago", [30, 86_400, 400_000])
def test_an_event_in_seconds_and_one_in_milliseconds_happened_at_the_same_instant(unit, ago):
    token = small(CAEP, iat=AT - 5, events={CAEP: {"event_timestamp": int(AT - ago) * unit}})
    assert verify(token.encode(), PINNED, NOW).toe == NOW - timedelta(seconds=ago)


@pytest.mark.parametrize(
    ("days", "taken"), [(-1, False), (0, False), (1, True), (50 * 366, True), (50 * 366 + 1, False)]
)
def test_a_cooling_off_period_has_a_day_at_least_and_a_lifetime_at_most(days, taken):
    until = ((NOW - timedelta(seconds=10)).date() + timedelta(days=days)).isoformat()
    assert (reason(right(departure(events=details(cooling_off_until=until)))) == "") is taken


def test_a_name_may_have_one_character_and_a_time_be_any_after_1970():
    assert reason(right(departure("7"))) == reason(right(departure(txn="x"))) == ""
    assert reason(small(iat=0.5)) == ""
    assert reason(small(iat=0)) == reason(small(iat=-1)) == "claim-wrong"


@pytest.mark.parametrize(
    "sub_id",
    [
        # attack: two readers, two subjects
        {"format": "email", "subject_type": "iss_sub", "email": "zhang@example.org"},
        {"subject_type": "email", "format": "iss_sub", "iss": IDP, "sub": "E1001"},
        {"format": "iss_sub", "subject_type": "iss_sub", "iss": IDP, "sub": "E1001"},
        {"iss": IDP, "sub": "E1001"},
        {"format": "complex", "user": "E1001"},
        {"format": "complex", "user": ["iss_sub"]},
        {"format": "complex", "user": {"format": "iss_sub", "iss": IDP, "sub": "E1001"}, "device": {}},
        ["iss_sub", IDP, "E1001"],
        "E1001",
        7,
    ],
)
def test_a_subject_has_one_format_and_one_meaning(sub_id):
    assert reason(small(sub_id=sub_id)) == "subject"


def test_the_number_of_an_event_in_the_database_is_what_it_always_was():
    """Later versions read what earlier ones have stored, and compare it."""
    names = {"DEPARTURE_APPROVED": 3, "ACCOUNT_DISABLED": 2, "SESSION_REVOKED": 1, "VERIFICATION": 0}
    assert {event.name: event.strength for event in HrEvent} == names
