"""Who counts as a hand, where registry, host and pack meet: each of it can turn a no into a yes (contract C12)."""

import os
from typing import Any

import pytest

from agent.api.roles import Role
from agent.control import two_hands
from agent.errors import ForbiddenError, RefusedError
from agent.runtime import os_groups
from rules.model import Level
from rules.pack.model import TwoHandsRule
from rules.text import Text
from tests.control.test_two_hands import OTHER_SECURITY, SECURITY, SYSTEM, Desk, alone, desk  # noqa: F401 - fixtures


def test_an_act_that_asks_a_role_of_its_second_hand_gets_it_or_waits(desk: Desk) -> None:  # noqa: F811
    """The pack in force lets any two officers confirm a grant."""
    answer = desk.call("grant.add", SECURITY, asked=Role.SYSTEM, person="E2", area="plans", reason="x")
    with pytest.raises(ForbiddenError, match=r"control.second-officer-role-required.*common.system-administrator"):
        desk.call("proposal.confirm", OTHER_SECURITY, proposal=answer["proposal"])
    assert not desk.office.verdict("E2").allow
    desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"])
    assert desk.office.verdict("E2").allow


def test_the_login_of_another_account_of_the_same_person_is_theirs(desk: Desk) -> None:  # noqa: F811
    with desk.office.services.registry.change(desk.office.site.now()) as change:
        change.accounts.add(62_060, "E8")
    answer = desk.call("grant.add", SECURITY, login=62_060, person="E2", area="plans", reason="x")
    desk.call("proposal.confirm", SYSTEM, login=SYSTEM[1], proposal=answer["proposal"])
    assert desk.office.verdict("E2").allow


@pytest.mark.parametrize("login", [0, 62_061, SYSTEM[1]])
def test_whoever_proposes_from_another_login_proposes_nothing(desk: Desk, login: int) -> None:  # noqa: F811
    with pytest.raises(ForbiddenError, match=r"rules.caller-in-foreign-login"):
        desk.call("grant.add", SECURITY, login=login, person="E2", area="plans", reason="x")
    assert desk.call("proposal.list") == []


def test_who_proposed_and_has_left_the_group_since_is_no_hand(
    desk: Desk,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = desk.call("grant.add", SECURITY, person="E2", area="plans", reason="x")
    present, other = os_groups.present_within, frozenset({SECURITY[1]})
    monkeypatch.setattr(
        os_groups, "present_within", lambda uid, most: other if uid == SECURITY[1] else present(uid, most)
    )
    with pytest.raises(ForbiddenError, match=r"rules.not-an-officer"):
        desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"])
    assert not desk.office.verdict("E2").allow


@pytest.mark.parametrize(
    ("op", "given", "waits"),
    [
        ("person.add", {"person": "N2", "account": [62_070]}, True),
        ("person.add", {"person": "N2", "badge": ["4711"]}, True),
        ("person.add", {"person": "N2", "account": [], "badge": None}, False),
        ("person.add", {"person": "N2"}, False),
        ("hold.add", {"person": "N1", "reason": "x"}, False),
    ],
)
def test_what_gives_by_one_of_its_arguments_waits_with_it_alone(
    desk: Desk,  # noqa: F811
    op: str,
    given: dict[str, Any],
    waits: bool,
) -> None:
    assert desk.call(op, SYSTEM if op == "person.add" else SECURITY, **given).get("waiting", False) is waits


def test_an_entry_says_one_hand_only_of_what_the_pack_leaves_to_one(desk: Desk) -> None:  # noqa: F811
    with desk.office.services.registry.change(desk.office.site.now()) as change:
        change.rooms.add("vault", level=Level.INTERNAL, domain="state")
    desk.call("declaration.add", SECURITY, person="E2", room="vault", purpose="inventory", no_devices=True)
    desk.call("hold.add", SECURITY, person="N1", reason="x")
    desk.call("person.set", SYSTEM, person="N1", name="somebody")
    said = [desk.entry(kind="act", act=act).get("hands") for act in ("declaration.add", "hold.add", "person.set")]
    assert said == ["one-hand", None, None]


def test_a_pack_that_cannot_be_read_is_taken_for_the_strictest(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    class Request:
        class site:  # noqa: N801
            @staticmethod
            def pack() -> None:
                raise RefusedError(Text("it is gone", "已丢失"))

    assert two_hands.rule_of(Request()) == TwoHandsRule()  # type: ignore[arg-type]


def test_an_account_is_on_the_host_only_if_the_host_says_so_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert two_hands.on_host(os.getuid())
    assert not two_hands.on_host(62_999)

    def late(_uid: int, _seconds: float) -> None:
        raise TimeoutError

    monkeypatch.setattr(os_groups, "present_within", late)
    assert two_hands.on_host(os.getuid()) is False
