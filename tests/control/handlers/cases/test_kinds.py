"""What each kind of departure asks for, what a cooling-off period does, and what keeps a case from closing."""

import json
from datetime import timedelta

import pytest

from agent.control.handlers.case_view import batches
from agent.errors import RefusedError
from agent.offboard.intake import pinned_keys
from rules.model import Level, RoomRules
from tests.control.office import Office, office_of
from tests.control.site import Site
from tests.offboard.intake.signing import KEYS
from tests.sentences import en, zh


def test_a_death_ends_access_at_once_and_asks_for_what_is_left_behind(office: Office) -> None:
    assert office.do("case.open", last_day="2026-01-01", kind="death")["owed"] == []
    assert office.verdict().rule == "departure"
    office.takes_over("E7")
    assert office.do("case.close")["step"] == "closed"
    assert office.verdict().rule == "departure"


def test_who_is_rehired_starts_anew_when_the_case_is_closed(office: Office) -> None:
    office.approved(kind="rehired", post="adviser")
    office.do("case.cool-off", none=True, reason="goes on under the same rules")
    office.takes_over("E7")
    office.do("case.close")
    assert office.site.lists.people.dossier("E1")["post"] == "adviser"
    assert office.verdict().rule == "grant"
    office.do("grant.add", area="plans", reason="adviser")
    assert office.verdict().allow


def test_who_is_back_from_long_leave_gets_nothing_by_himself_and_each_grant_by_two(office: Office) -> None:
    office.approved(kind="long-leave")
    assert office.verdict().rule == "departure"
    with pytest.raises(RefusedError, match=r"departure.long-leave-ends-by-return"):
        office.do("case.close")
    assert office.do("case.resume")["back_by"] == "E8"
    with pytest.raises(RefusedError, match=r"common.second-officer-needed.*E8"):
        office.do("case.resume")
    assert office.verdict().rule == "departure"
    assert office.do("case.resume", officer="E9")["step"] == "closed"
    assert office.verdict().rule == "grant"
    office.do("case.restore", "C000001", grant=office.grant)
    assert office.verdict().rule == "grant"
    office.do("case.restore", "C000001", "E9", grant=office.grant)
    assert office.verdict().allow


def test_layoffs_of_one_name_are_one_batch(office: Office) -> None:
    for person in ("E1", "E2", "E3"):
        office.do("case.open", person, last_day="2099-12-31", kind="layoff", batch="2026-11")
    office.do("case.open", "E4", last_day="2099-12-31")
    office.do("case.approve", "E2")
    [batch] = batches(office.site.lists.cases.find(), office.site.now().date())
    assert (batch["batch"], batch["people"], batch["over"]) == ("2026-11", 3, 1)
    assert [(one["step"], one["people"]) for one in batch["steps"]] == [("notice", 2), ("approved", 1)]
    assert [case["person"] for case in office.do("case.list", "", batch="2026-11")] == ["E1", "E2", "E3"]


def test_leaving_the_post_and_leaving_the_unit_are_told_apart(office: Office) -> None:
    said = {}
    for kind in ("resignation", "transfer", "long-leave", "layoff"):
        to = {"post": "x"} if kind == "transfer" else {}
        opened = office.do("case.open", last_day="2099-12-31", kind=kind, **to)
        said[kind] = zh(opened["leaves_text"])
        office.do("case.rescind", reason="x")
    assert said == {"resignation": "离职", "transfer": "离岗", "long-leave": "离岗", "layoff": "离职"}


def test_the_period_is_entrusted_and_its_papers_and_days_stand_in_the_case(fresh: Site) -> None:
    with office_of(fresh, "state") as state:
        state.do("case.open", last_day="2099-12-31", kind="dismissal")
        for by in ("E2", "E3", "E4", "E5", "E6"):
            state.do("case.approve", by=by)
        end = (state.site.now() + timedelta(days=400)).isoformat()
        with pytest.raises(RefusedError, match=r"departure.no-period"):
            state.do("case.measure", measure="visit")
        state.do("case.cool-off", until=end)
        assert state.do("case.show")["keeper"]["keeper"] == "unit"
        state.do(
            "case.measure", measure="entrust", to="authority", party="甲市保密局", paper="甲密9号", on="2026-11-02",
        )  # fmt: skip
        with pytest.raises(RefusedError, match=r"rules.person-leaving.*E1"):
            state.do("case.measure", by="E1", measure="visit")
        state.do("case.measure", measure="border", party="出入境管理局", paper="备12", by="E7")
        state.do("case.measure", measure="passports", item="护照 E1234")
        shown = json.loads(json.dumps(state.do("case.show")))
        text = shown["keeper"].pop("text")
        assert (en(text), zh(text)) == ("the local secrecy authority", "地方保密行政管理部门")
        assert shown["keeper"] == {"keeper": "authority", "party": "甲市保密局", "paper": "甲密9号"}
        first, second, _ = shown["taken"]
        assert (first["measure"], first["day"], first["by"]) == ("entrust", "2026-11-02", "E8")
        assert second["by"] == "E7"
        assert "measures" not in [one["duty"] for one in shown["owed"]]
        state.later(days=401)
        state.do("case.end-measure", measure="passports")
        state.do("case.end-measure", measure="border", paper="撤12")
        assert [one["ended"]["paper"] if one["ended"] else None for one in state.do("case.show")["taken"]] == [
            None, "撤12", "",
        ]  # fmt: skip


def test_an_approver_of_the_personnel_system_hands_the_key_over_first(office: Office, fresh: Site) -> None:
    office.approved()
    office.do("case.cool-off", none=True, reason="x")
    office.takes_over("E7")
    keys = pinned_keys.path(fresh.home.root)
    keys.write_text("{}")
    keys.chmod(0o600)
    with pytest.raises(RefusedError, match=r"departure.responsibilities-remain.*control.approver-unverified"):
        office.do("case.papers")
    pinned = json.loads((KEYS / "hr-keys.json").read_text())
    for key in pinned["keys"]:
        key["person"] = "E1" if key.get("person") == "E0007" else key.get("person", "")
    keys.write_text(json.dumps({**pinned, "keys": [{n: v for n, v in key.items() if v} for key in pinned["keys"]]}))
    with pytest.raises(RefusedError, match=r"responsibilities-remain.*departure.still-approver.*test-only-personnel"):
        office.do("case.papers")
    keys.unlink()
    assert office.do("case.papers")["step"] == "papers"


def test_closing_waits_for_the_keeping_of_a_room_where_there_are_no_papers(office: Office) -> None:
    with office.services.registry.change(office.site.now()) as change:
        change.rooms.add("vault", level=Level.SECRET, domain="state", custodian="E1", rules=RoomRules())
    office.approved(kind="transfer", post="archivist")
    office.do("case.cool-off", none=True, reason="x")
    office.takes_over("E7")
    with pytest.raises(RefusedError, match=r"responsibilities-remain.*departure.still-custodian.*vault"):
        office.do("case.close")
    with office.services.registry.change(office.site.now()) as change:
        change.rooms.set("vault", custodian="E7")
    assert office.do("case.close")["step"] == "closed"


def test_the_only_one_in_a_role_names_a_successor_first(administrator: Office) -> None:
    administrator.approved()
    administrator.do("case.confirm", officer="E9")
    administrator.do("case.cool-off", none=True, reason="x")
    administrator.takes_over("E7")
    said = [(en(flag), zh(flag)) for flag in administrator.do("case.status")["flags"]]
    assert ("to hand over: the only account in the role `security`", "待移交：角色 `security` 仅有该人员") in said
    with pytest.raises(RefusedError, match=r"responsibilities-remain.*departure.still-last-in-role.*security"):
        administrator.do("case.papers")
    with administrator.services.registry.change(administrator.site.now()) as change:
        change.accounts.remove(int(administrator.site.lists.accounts.find("E1")[0]["uid"]))
    assert administrator.do("case.papers")["step"] == "papers"
