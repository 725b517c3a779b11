"""A case is taken back: a notice by one officer, an approval by two, and nothing is restored by itself."""

import pytest

from agent.errors import RefusedError
from tests.control.office import Office


def test_rescinding_an_approval_takes_two_officers_and_restores_nothing_by_itself(office: Office) -> None:
    office.approved()
    assert office.do("case.rescind", reason="wrong person")["step"] == "approved"
    with pytest.raises(RefusedError, match=r"common.second-officer-needed.*E8"):
        office.do("case.rescind", reason="really")
    assert office.verdict().rule == "departure"
    assert office.do("case.rescind", officer="E9", reason="so it is")["step"] == "rescinded"
    assert office.verdict().rule == "hold"
    lift_by_two(office)
    assert office.verdict().rule == "grant"
    assert office.do("case.restore", grant=office.grant)["given"] == ""
    with pytest.raises(RefusedError, match=r"common.second-officer-needed.*E8"):
        office.do("case.restore", grant=office.grant)
    assert not office.verdict().allow
    assert office.do("case.restore", officer="E9", grant=office.grant)["given"] == "G000002"
    assert office.verdict().allow
    with pytest.raises(RefusedError, match=r"registry.grant-not-restorable.*G000002"):
        office.do("case.restore", grant="G000002")


def lift_by_two(office: Office) -> None:
    """Lift the hold that a rescission left, and see that one officer cannot; another hold needs no second."""
    office.do("hold.add", reason="one more")
    [left, plain] = [hold["id"] for hold in office.site.lists.holds.find("E1")]
    with (
        pytest.raises(RefusedError, match=r"registry.hold-needs-second-officer"),
        office.services.registry.change(office.site.now()) as change,
    ):
        change.holds.lift(left, by="E8")
    asked = office.do("hold.lift", reason="back")
    assert (asked["holds"], asked["waiting"]) == ([plain], [left])
    with pytest.raises(RefusedError, match=r"common.second-officer-needed.*E8"):
        office.do("hold.lift", reason="back")
    assert office.verdict().rule == "hold"
    lifted = office.do("hold.lift", officer="E9", reason="back")
    assert (lifted["holds"], lifted["waiting"]) == ([left], [])


def test_a_notice_is_rescinded_by_one_and_nothing_was_taken(office: Office) -> None:
    office.do("case.open", last_day="2099-12-31")
    assert office.do("case.rescind", reason="stays")["step"] == "rescinded"
    assert office.verdict().allow
    assert office.do("case.open", last_day="2099-12-31")["case"] == "C000002"
