"""Tricks by which one human gave access with one hand, or had confirmed what nobody had seen."""

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest

from agent import shipped_packs
from agent.api.peers import Peer
from agent.api.roles import standing
from agent.errors import ForbiddenError, RefusedError
from agent.runtime.config import RoleGroups
from rules.model import Level
from tests.control.office import office_of
from tests.control.site import Site
from tests.control.test_two_hands import OTHER_SECURITY, SECURITY, SYSTEM, Desk, alone, desk  # noqa: F401 - fixtures


def test_failed_records_ahead_do_not_hide_the_one_that_passes(alone: Site) -> None:  # noqa: F811
    with office_of(alone, "state") as office:
        desk, now = Desk(office), office.site.now()
        kinds = list(office.site.pack().records)
        with office.services.registry.change(now) as change:
            for kind in kinds[:-1]:
                change.records.add("E1", kind, on=now - timedelta(days=1))
        stamps = [(now + timedelta(seconds=12 + number)).isoformat() for number in range(9)]
        for stamp in stamps:
            desk.call("record.add", person="E1", kind=kinds[-1], on=stamp, failed=True)
        last = (now + timedelta(seconds=60)).isoformat()
        assert desk.call("record.add", person="E1", kind=kinds[-1], on=last)["waiting"]


def test_an_account_that_was_taken_from_an_officer_acts_for_nobody(desk: Desk) -> None:  # noqa: F811
    answer = desk.call("grant.add", SECURITY, person="E2", area="plans", reason="x")
    desk.call("account.remove", SYSTEM, person="E7", uid=SYSTEM[1])
    for op, given in (
        ("proposal.confirm", {"proposal": answer["proposal"]}),
        ("hold.add", {"person": "E8", "reason": "x"}),
        ("grant.add", {"person": "E2", "area": "plans", "reason": "x"}),
    ):
        with pytest.raises(ForbiddenError, match=r"control.uid-unbound.*E7"):
            desk.call(op, SYSTEM, **given)
    assert not desk.office.verdict("E2").allow


def test_a_proposal_of_an_account_that_was_taken_away_is_nobodys(desk: Desk) -> None:  # noqa: F811
    answer = desk.call("grant.add", SECURITY, person="E2", area="plans", reason="x")
    desk.call("account.remove", SYSTEM, person="E8", uid=SECURITY[1])
    with pytest.raises(RefusedError, match=r"control.uid-no-longer-bound.*E8"):
        desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"])


@pytest.mark.parametrize(
    "how", [{"together": 86_399}, {"accompany": "yes"}, {"lone_alarm": "no"}, {"reset_at": "03:00"}]
)
def test_what_a_room_asks_of_two_is_loosened_by_two(desk: Desk, how: dict[str, object]) -> None:  # noqa: F811
    with desk.office.services.registry.change(desk.office.site.now()) as change:
        change.rooms.add("vault", level=Level.SECRET, domain="state")
    if "accompany" in how:
        desk.call("room.set", room="vault", accompany="no")
    if "lone_alarm" in how:
        desk.call("room.set", room="vault", lone_alarm="yes")
    assert desk.call("room.set", room="vault", **how)["waiting"]


def test_who_imports_an_account_for_themselves_is_no_hand(desk: Desk) -> None:  # noqa: F811
    csv = "id,name,accounts\nE7,系,62007;62078\n"
    with pytest.raises(ForbiddenError, match=r"rules.caller-gains.*E7"):
        desk.call("person.import", SYSTEM, csv=csv, update=True)


def test_a_pack_that_leaves_all_to_one_hand_is_shown_line_by_line(desk: Desk) -> None:  # noqa: F811
    loose = shipped_packs.text("minimal").replace('one_hand = ["declaration.add"]', 'one_hand = ["*"]')
    answer = desk.call("pack.use", SECURITY, pack=loose)
    shown = desk.call("proposal.show", SYSTEM, proposal=answer["proposal"])
    assert 'one_hand = ["*"]' in shown["texts"]["pack"]
    assert 'one_hand = ["declaration.add"]' in shown["pack_in_force"]


def test_the_code_of_one_proposal_confirms_no_other(desk: Desk) -> None:  # noqa: F811
    first = desk.call("area.observe", SECURITY, area="plans")
    second = desk.call("area.remove", SECURITY, area="plans")
    seen = desk.call("proposal.show", SYSTEM, proposal=first["proposal"])["seen"]
    with pytest.raises(RefusedError, match=r"control.grants-differ-from-review"):
        desk.call("proposal.confirm", SYSTEM, proposal=second["proposal"], seen=seen)


def test_the_entry_names_the_role_of_who_confirmed(desk: Desk) -> None:  # noqa: F811
    answer = desk.call("grant.add", SECURITY, person="E2", area="plans", reason="x")
    desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"])
    entry = desk.entry(act="grant.add")
    assert (entry["actor"]["role"], entry["hands"]["proposed_by"]["role"]) == ("system", "security")


def test_a_hold_never_waits_whatever_cannot_be_read(desk: Desk) -> None:  # noqa: F811
    desk.office.site.home.pack.write_text("garbage", encoding="utf-8")
    assert desk.call("hold.add", OTHER_SECURITY, person="E1", reason="x")["hold"]


def test_who_supports_a_request_is_no_officer_in_it(desk: Desk) -> None:  # noqa: F811
    with desk.office.services.registry.change(desk.office.site.now()) as change:
        change.accounts.add(62_102, "E2")
        change.people.set("E8", heads="rd")
    number = desk.person("request.add", ("E2", 62_102), area="plans", reason="x")["proposal"]
    desk.person("request.support", SECURITY, proposal=number)
    with pytest.raises(ForbiddenError, match=r"control.supporter-may-not-decide.*E8"):
        desk.call("proposal.confirm", SECURITY, proposal=number)
    assert desk.call("proposal.confirm", OTHER_SECURITY, proposal=number)["waiting"]


def test_another_file_than_was_proposed_is_not_registered(desk: Desk) -> None:  # noqa: F811
    program = Path(tempfile.mkdtemp(dir="/var/lib")) / "index"
    try:
        shutil.copy("/usr/bin/true", program)
        given = {"service": "index", "uid": 62_071, "executable": str(program), "area": ["plans"]}
        answer = desk.call("service.add", SYSTEM, **given)
        program.unlink()
        shutil.copy("/usr/bin/cat", program)
        with pytest.raises(RefusedError, match=r"control.grants-differ-from-proposal"):
            desk.call("proposal.confirm", SECURITY, proposal=answer["proposal"])
        assert not desk.office.site.facts.services()
    finally:
        shutil.rmtree(program.parent)


def test_an_account_that_the_host_has_no_more_has_no_role(desk: Desk) -> None:  # noqa: F811
    named = RoleGroups(system=62_991, security=62_992, auditor=62_993)
    peer = Peer(1, 62_007, 62_991, frozenset({62_991}), None)
    assert standing(peer, named, lambda _name: None).role
    assert standing(peer, named, lambda _name: None, gone=True).role is None
    answer = desk.call("grant.add", SECURITY, person="E2", area="plans", reason="x")
    with desk.office.services.registry.change(desk.office.site.now()) as change:
        change.accounts.remove(SECURITY[1])
        change.accounts.add(SECURITY[1], "E8", on_host=True)  # and this host has none of that number
    with pytest.raises(ForbiddenError):
        desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"])
