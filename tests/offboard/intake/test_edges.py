"""The edges of the profile that no vector stands on: the last value that counts, and the first one that does not."""

import hashlib
import json
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import get_default_algorithms

from agent.api.timestamps import instant
from agent.offboard.intake import channel, pinned_keys, quarantine
from agent.offboard.intake.claims import check_departure
from agent.offboard.intake.filing import Received
from agent.offboard.intake.notice import HrEvent
from agent.offboard.intake.reasons import REASONS, BadTokenError, sentence
from agent.offboard.intake.store import Store
from agent.offboard.intake.token import verify
from agent.simulator import hr_sender
from rules.offboarding.vocabulary import CaseKind
from tests.examples import examples
from tests.offboard.intake.signing import (
    APPROVAL,
    CAEP,
    DEPARTURE,
    IDP,
    ISS,
    approval,
    approved,
    departure,
    details,
    right,
    signed,
    small,
)
from tests.offboard.intake.site import KEYS, NOW, Site
from tests.offboard.intake.test_answers import event, said
from tests.sentences import en, zh

PINNED = pinned_keys.load(KEYS / "hr-keys.json")
AT = NOW.timestamp()
MEMBERS = {  # of an approved departure, each with a value that is right
    "kind": "transfer",
    "approvers": departure()["events"][DEPARTURE]["approvers"],
    "last_day": "2026-12-31",
    "effective": "2026-12-31",
    "batch": "2026-A",
    "department": "档案室",
    "post": "保管员",
    "class": "核心",
    "cooling_off_until": "2028-12-31",
}


@pytest.fixture
def site(tmp_path):
    with Site(tmp_path) as made:
        yield made


def reason(token):
    """Return why *token* is refused by the pinned keys of the vectors, empty when it is right."""
    try:
        verify(token.encode(), PINNED, NOW)
    except BadTokenError as error:
        return error.reason
    return ""


def setting(site, **settings):
    file = pinned_keys.path(site.home)
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))


@pytest.mark.parametrize(
    ("settings", "iat", "outcome"),
    [
        ({}, 60, "accepted"),
        ({}, 61, "ahead"),
        ({"leeway_seconds": 600}, 600, "accepted"),
        ({"leeway_seconds": 0}, 1, "ahead"),
        ({}, 86_400, "ahead"),
        ({}, 86_401, "from-the-future"),
        ({"ahead_seconds": 172_800}, 172_800, "ahead"),
        ({"ahead_seconds": 60, "leeway_seconds": 0}, 61, "from-the-future"),
        ({}, -3600, "accepted"),
        ({}, -3601, "late"),
        ({"late_after_seconds": 10}, -11, "late"),
        ({"late_after_seconds": 86_400}, -86_400, "accepted"),
    ],
    ids=str,
)
def test_how_far_ahead_and_how_late_a_token_may_be_is_what_the_site_sets(site, settings, iat, outcome):
    setting(site, **settings)
    site.drop(right(departure(iat=AT + iat, toe=AT + min(iat, 0))))
    [done] = site.sweep()
    assert done.reason == outcome
    assert done.alarm == (outcome != "accepted")


@pytest.mark.parametrize("kind", list(CaseKind))
def test_every_kind_is_taken(kind):
    assert reason(right(departure(events=details(kind=kind.value)))) == ""


def test_every_member_of_a_departure_is_taken_and_kept():
    token = right(departure(events={DEPARTURE: MEMBERS}))
    assert verify(token.encode(), PINNED, NOW).details == MEMBERS


@examples(25)
@given(st.text(min_size=1, max_size=12).filter(lambda name: name not in MEMBERS))
def test_a_member_of_any_other_name_is_refused(name):
    assert reason(right(departure(events={DEPARTURE: MEMBERS | {name: "x"}}))) == "event-wrong"


@pytest.mark.parametrize("kind", [kind for kind in CaseKind if kind not in (CaseKind.TRANSFER, CaseKind.REHIRED)])
@pytest.mark.parametrize("where", ["department", "post"])
def test_only_who_is_transferred_or_rehired_goes_somewhere(kind, where):
    assert reason(right(departure(events=details(kind=kind.value, **{where: "x"})))) == "event-wrong"


def test_one_newline_may_follow_and_what_is_not_ascii_is_no_token():
    assert reason(right() + "\n") == ""
    assert reason(right() + "\u00a0") == "not-a-token"
    assert reason(right().replace(".", ".\n", 1)) == "not-a-token"


def test_an_approval_has_the_issuer_of_its_key_and_a_time():
    base = departure()
    other = approval(base, "test-only-secrecy-office")
    assert reason(signed(approved(base, approval(base, iss=IDP), other))) == "approval-wrong"
    facts = {name: base[name] for name in ("aud", "txn", "toe", "sub_id", "events")}
    undated = signed({"iss": ISS, **facts}, "test-only-personnel", APPROVAL)
    assert reason(signed(approved(base, undated, other))) == "approval-wrong"
    assert reason(signed(approved(base, approval(base), other))) == ""


def turned_round(value):
    """Return the same JSON with the members of every object in the opposite order."""
    if isinstance(value, dict):
        return {name: turned_round(value[name]) for name in reversed(value)}
    return [turned_round(one) for one in value] if isinstance(value, list) else value


def test_an_approval_is_compared_as_values_whatever_order_and_spelling():
    base = departure()
    facts = {name: base[name] for name in ("aud", "txn", "toe", "sub_id", "events")}
    turned = json.dumps(turned_round({"iss": ISS, "iat": AT - 8, **facts}), ensure_ascii=False, indent=3)
    assert "同意" in turned  # which is written with escapes in the token itself
    other = approval(base, "test-only-secrecy-office")
    assert reason(signed(approved(base, signed(turned.encode(), "test-only-personnel", APPROVAL), other))) == ""


def test_an_approver_signs_with_nothing_but_the_facts_and_a_key_of_his_own():
    """What HR's software sends over is text; what comes back is one signature, which it could not have made."""
    facts = json.dumps({name: value for name, value in departure().items() if name not in ("iss", "iat", "jti")})
    back = [approval(json.loads(facts), kid) for kid in ("test-only-personnel", "test-only-secrecy-office")]
    assert reason(signed(approved(departure(), *back))) == ""
    forged = [approval(json.loads(facts), "test-only-hr-ed25519")] * 2
    assert reason(signed(approved(departure(), *forged))) == "key-purpose"


RESTORING = (
    "https://schemas.openid.net/secevent/risc/event-type/account-enabled",
    "https://schemas.openid.net/secevent/risc/event-type/recovery-activated",
    "https://schemas.openid.net/secevent/caep/event-type/session-established",
    "https://schemas.openid.net/secevent/caep/event-type/assurance-level-change",
    "urn:ietf:params:scim:event:prov:activate",
    "urn:ietf:params:scim:event:prov:create:full",
    "urn:shoumi:event:departure-withdrawn",
)


@pytest.mark.parametrize("uri", RESTORING)
def test_an_event_that_would_give_something_back_is_none_and_is_named_in_the_answer(site, uri):
    site.drop(small(uri))
    [done] = site.sweep()
    assert (done.folder, done.reason, site.handed) == ("rejected", "event-unknown", [])
    assert f"`{uri}`" in en(event(site)["text"])
    assert f"`{uri}`" in zh(event(site)["text"])


def test_a_way_of_naming_that_is_not_understood_is_named_in_the_answer(site):
    site.drop(small(CAEP, sub_id={"format": "phone_number", "phone_number": "+86"}))
    site.sweep()
    assert "`phone_number`" in en(event(site)["text"])


@pytest.mark.parametrize(
    "sub_id",
    [
        {"format": "iss_sub", "iss": IDP, "sub": "guid"},
        {"format": "complex", "user": {"format": "iss_sub", "iss": IDP, "sub": "guid"}},
        {"subject_type": "iss-sub", "iss": IDP, "sub": "guid"},
    ],
    ids=["another issuer", "complex", "draft"],
)
def test_the_leaver_by_the_number_of_another_issuer_approves_nothing(site, sub_id):
    site.mapped[("iss_sub", IDP, "guid")] = "E0007"  # who is among the approvers
    site.drop(right(departure(sub_id=sub_id)))
    assert [done.reason for done in site.sweep()] == ["own-approval"]
    assert site.handed == []


def test_what_was_nobodys_is_taken_when_it_is_dropped_again_and_the_person_is_registered(site):
    token = right(departure("X9999"))
    site.drop(token)
    assert [done.reason for done in site.sweep()] == ["unknown-person"]
    site.known = lambda _employee: True
    site.drop(token, "again")
    assert [done.reason for done in site.sweep()] == ["accepted"]
    assert [notice.subject for notice in site.handed] == ["X9999"]


def test_a_departure_whose_approver_is_out_is_sent_anew_with_the_signature_of_somebody_else(tmp_path):
    approvers = [("head", "E0007"), ("security", "E0008"), ("director", "E0009")]
    made = hr_sender.make_keys(tmp_path / "keys", audience="urn:x:site", iss=ISS, approvers=approvers)
    pinned = json.dumps(json.loads(made.read_text()) | {"approvals_needed": 2}).encode()
    with Site(tmp_path, pinned=pinned) as site:
        sender, keys = hr_sender.read_keys(tmp_path / "keys")
        site.absent, site.wanted = {"E0008"}, 2

        def send(number, *people):
            signing = [key for key in keys if key["person"] in people]
            named = [{"role": key["role"], "by": key["person"], "at": int(AT) - 20} for key in signing]
            claims = departure(aud="urn:x:site", jti=number, events=details(approvers=named))
            claims["approvals"] = [hr_sender.approve(claims, key, NOW) for key in signing]
            site.drop(hr_sender.sign(claims, sender, "secevent+jwt"), number)
            [done] = site.sweep()
            return done.reason

        assert send("first", "E0007", "E0008") == "approver-out"
        assert send("second", "E0007", "E0009") == "accepted"
        assert [notice.jti for notice in site.handed] == ["second"]


def test_an_answer_is_issued_by_the_site_and_repeats_what_names_the_notice(site):
    site.drop(right())
    site.drop(right(departure("E2", txn="2", iat=AT + 600)), "early")
    site.drop("nothing", "wrong")
    (site.new / "folder.set").mkdir()
    site.sweep()
    found = said(site)
    assert (found["iss"], found["aud"], found["txn"]) == (PINNED.audience, ISS, "HR-2026-0042")
    assert (found["sub_id"], event(site)["answers"]) == (departure()["sub_id"], departure()["jti"])
    for name, read in (("early", True), ("wrong", True), ("folder", False)):
        assert said(site, name).keys() == {"iss", "iat", "jti", "events"}
        assert "answers" not in event(site, name)
        assert (event(site, name)["file"], bool(event(site, name)["sha256"])) == (f"{name}.set", read)


def test_a_name_that_is_too_long_when_it_is_shown_is_answered_under_its_sha_256(site):
    """The answer is found from the name that the reason beside the file says."""
    (site.new / ("\x1b" * 80 + ".set")).write_text("nothing")
    [done] = site.sweep()
    assert done.name == "\\x1b" * 80 + ".set"
    under = hashlib.sha256(done.name.encode()).hexdigest()
    assert event(site, under)["file"] == done.name
    reasons = [json.loads((site.home / "spool/rejected" / name).read_text()) for name in site.filed("rejected")[:1]]
    assert [one["file"] for one in reasons] == [done.name]


@pytest.mark.parametrize("word", sorted(REASONS))
def test_whatever_is_not_accepted_is_alarmed_except_what_came_twice(word):
    done = Received("x.set", "rejected", word, sentence(word), None, "x")
    assert done.alarm == (word not in ("accepted", "replayed"))


def test_nobody_is_alarmed_by_silence_unless_the_site_sets_a_time(site):
    site.drop(small())
    site.sweep()
    with Store(site.home / "offboard.db") as store:
        for seconds, silent in ((0, False), (100, True), (86_400 * 365, False)):
            found = channel.heard(site.home, store, timedelta(seconds=seconds), NOW + timedelta(days=300))
            assert (found.at is not None, found.silent) == (True, silent)


def test_a_verification_names_nobody_ends_nothing_and_is_answered_with_its_state(site):
    uri = HrEvent.VERIFICATION.uri
    for sub_id in ({"format": "opaque", "id": "s"}, ["no name at all"], None):
        site.drop(small(uri, jti=str(sub_id), sub_id=sub_id, events={uri: {"state": "s1"}}), "alive")
        assert [done.reason for done in site.sweep()] == ["accepted"]
        assert (event(site, "alive")["state"], event(site, "alive")["verification"]) == ("done", "s1")
    assert site.handed == []


def test_only_what_comes_after_a_release_outweighs_what_was_released(site):
    old, hour = right(departure(jti="old")), timedelta(hours=1)
    site.drop(right(departure(jti="newer", toe=AT - 3)), "newer")
    site.sweep()
    site.drop(old)
    assert [done.reason for done in site.sweep()] == ["superseded"]

    def released(at):
        [aside] = quarantine.quarantined(site.home / "spool")
        with Store(site.home / "offboard.db") as store:
            store.release(aside.key, at)
        quarantine.release(site.home / "spool", aside.name)
        return [done.folder for done in site.sweep(NOW + 3 * hour)]

    site.drop(right(departure(jti="after", iat=AT + 7200, toe=AT + 7200)), "after")
    assert [done.reason for done in site.sweep(NOW + 3 * hour)] == ["accepted"]
    assert released(NOW + hour) == ["quarantine"]  # the one of two o'clock came after that
    assert released(NOW + 3 * hour) == ["accepted"]
    assert [notice.jti for notice in site.handed] == ["newer", "after", "old"]


def test_the_signature_library_knows_no_chinese_algorithm_and_none_can_be_pinned():
    assert not [name for name in get_default_algorithms() if name.upper().startswith("SM")]
    assert not [name for name in pinned_keys.ALGORITHMS if name.upper().startswith("SM")]


ISO = st.tuples(st.dates(), st.times(), st.sampled_from(["", "Z", "+08:00", "-23:59", "+23:59"]))


@given(
    st.dates().map(str)
    | ISO.map(lambda one: f"{one[0]}T{one[1]}{one[2]}")
    | st.sampled_from(["9998-12-31", "9998-12-31T23:59-23:59", "9999-12-31", "2049-W01-1", "2049-12-31T24:00Z"]),
    st.integers(-14, 14),
)
def test_a_leave_date_that_is_taken_in_can_be_acted_on_in_every_zone(word, hours):
    reason = ""
    try:
        check_departure(details(effective=word)[DEPARTURE], {"E1001"}, NOW, lambda name: name)
    except BadTokenError as error:
        reason = error.reason
    assert reason in ("", "event-wrong")
    assert reason or instant(word, timezone(timedelta(hours=hours)), end=True)
