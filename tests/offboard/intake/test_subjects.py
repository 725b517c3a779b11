"""Whom a token names: by number, address or another issuer's number, and only as the site says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.offboard.intake import pinned_keys, quarantine
from agent.offboard.intake.reasons import BadTokenError
from agent.offboard.intake.subject import SubjectId, subject_of, unmapped
from agent.offboard.intake.token import verify
from tests.offboard.intake.signing import CAEP, DEPARTURE, IDP, ISS, departure, details, right, small
from tests.offboard.intake.site import KEYS, NOW, Site
from tests.sentences import en

PINNED = pinned_keys.load(KEYS / "hr-keys.json")
MAIL = {"format": "email", "email": "Zhang.San@Example.CN"}


@pytest.fixture
def site(tmp_path):
    with Site(tmp_path) as made:
        yield made


def test_an_employee_number_is_the_person_unless_the_site_says_otherwise():
    lookup = {("number", "", "77"): "E77", ("iss_sub", IDP, "77"): "E99"}
    found = SubjectId("number", "77")
    assert found.person(ISS, unmapped) == "77"
    assert found.person(ISS, lambda *name: lookup.get(name)) == "E77"
    assert found.person(IDP, lambda *name: lookup.get(name)) == "E99"


def test_a_foreign_name_counts_only_where_the_site_says_whose_it_is(site):
    token = small(CAEP, sub_id=MAIL)
    site.drop(token)
    [done] = site.sweep()
    assert (done.reason, done.notice.subject) == ("unknown-person", "")
    assert "zhang.san@example.cn" in en(done.text)
    [aside] = quarantine.quarantined(site.home / "spool")
    assert (aside.person, aside.named, aside.sub_id) == (
        "",
        "email zhang.san@example.cn",
        ("email", "zhang.san@example.cn", ""),
    )
    site.mapped[("email", "", "zhang.san@example.cn")] = "E1001"
    quarantine.release(site.home / "spool", aside.name)
    assert [done.reason for done in site.sweep()] == ["accepted"]
    assert [notice.subject for notice in site.handed] == ["E1001"]
    site.reopen()
    assert site.sweep() == []


def test_the_leaver_approves_nothing_under_any_name(site):
    site.mapped[("email", "", "zhang.san@example.cn")] = "E0007"  # who is among the approvers
    site.drop(right(departure(sub_id=MAIL)))
    assert [done.reason for done in site.sweep()] == ["own-approval"]
    site.drop(right(departure("guid-1", jti="2")), "two")
    site.mapped[("number", "", "guid-1")] = "E0008"
    assert [done.reason for done in site.sweep()] == ["own-approval"]


@pytest.mark.parametrize("name", ["000123", "Zhang.San@Example.CN"])
def test_nor_is_the_leaver_named_or_anybody_twice_who_signs_by_another_name(site, name):
    """Of those whom the event names, whoever signs: their names are those the site knows them by."""
    named = departure()["events"][DEPARTURE]["approvers"]
    site.mapped |= {("number", "", "000123"): "E1001", ("email", "", "zhang.san@example.cn"): "E1001"}
    claims = departure(events=details(approvers=[*named, {**named[0], "by": name}]))
    site.drop(right(claims))
    assert [done.reason for done in site.sweep()] == ["own-approval"]
    site.mapped = dict.fromkeys(site.mapped, "E0007")
    site.drop(right(claims | {"jti": "2"}), "two")
    assert [done.reason for done in site.sweep()] == ["approver-twice"]


def test_one_name_in_two_places_is_one_and_two_names_are_none():
    named = {"subject_type": "iss-sub", "iss": IDP, "sub": "E1"}
    same = {"sub_id": {"format": "iss_sub", "iss": IDP, "sub": "E1"}}
    assert subject_of(same, {"subject": named}, IDP) == SubjectId("number", "E1")
    with pytest.raises(BadTokenError) as error:
        subject_of(same, {"subject": {**named, "sub": "E2"}}, IDP)
    assert error.value.reason == "subject"


@pytest.mark.parametrize("form", ["phone_number", "did", "opaque", "aliases", "account", "scim"])
def test_a_way_of_naming_that_is_not_understood_is_named(form):
    with pytest.raises(BadTokenError, match=rf"hr.subject-format-unsupported.*name='{form}'"):
        verify(small(CAEP, sub_id={"format": form, "x": "y"}).encode(), PINNED, NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["format", "subject_type", "user", "iss", "sub", "email"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(json_values, json_values)
def test_any_json_is_a_name_or_a_reason(sub_id, subject):
    reason, found = "", None
    try:
        found = subject_of({"sub_id": sub_id}, {"subject": subject}, ISS)
    except BadTokenError as error:
        reason = error.reason
    assert reason in (("",) if found else ("subject", "claim-missing"))
    assert not found or found.person(ISS, unmapped) in (found.value, "")
