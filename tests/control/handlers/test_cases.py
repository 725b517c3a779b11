"""A departure as officers do it: a real registry, a real log, and a decider that acknowledges."""

import json
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent import shipped_packs
from agent.api.operations import TABLE
from agent.api.peers import Peer
from agent.api.roles import CallerRole, Role
from agent.cli.__main__ import main
from agent.control.decider_client import DeciderClient, DeciderConnection
from agent.control.dispatch import HandlerRequest
from agent.control.handlers import handler_table
from agent.control.offboarding.triggers import trigger_of
from agent.control.services import ControlServices, open_services
from agent.control.transaction import ActExecutor
from agent.errors import ForbiddenError, RefusedError, UsageError
from agent.offboard.plan import Cause
from agent.runtime import channel
from agent.runtime.clock import nanoseconds
from rules.decide import decide
from rules.model import Clearance, Level, Request, Scope, Verdict
from rules.offboarding.vocabulary import CaseDuty
from tests.control.conftest import folder
from tests.control.site import Site, running

OFFICERS = {"E8": 62_008, "E9": 62_009}
STRANGER_PID = 1


class Followed:
    """Notes what would follow an act, in the place of the departures."""

    def __init__(self, decider: DeciderClient) -> None:
        self._decider = decider
        self.revoked: list[tuple[str, str, int]] = []
        self.started: list[tuple[str, str, int]] = []

    def freeze(self, case: str, pid: int) -> None:
        assert pid in (STRANGER_PID, os.getpid())

    def revoke(self, person: str, case: str, pid: int) -> dict[str, Any]:
        assert pid in (STRANGER_PID, os.getpid())
        self.revoked.append((person, case, int(self._decider.stats()["epoch"])))
        return {"revoked": True}

    def start_revocation(self, person: str, trigger: str, pid: int) -> None:
        self.started.append((person, trigger, int(self._decider.stats()["epoch"])))

    def start_restoration(self, name: str) -> None:
        pass

    def survey(self, person: str, cause: Cause) -> dict[str, Any]:
        return {}


class Office:
    """The control process of a site in this process, and two security officers who call it."""

    def __init__(self, opened: ControlServices) -> None:
        self.followed = Followed(opened.decider)
        self.services = replace(opened, offboarding=self.followed)  # type: ignore[arg-type]
        self.site = opened.site
        self.handlers = handler_table()
        self.executor = ActExecutor(self.services, self.handlers.acts)
        with opened.registry.change(self.site.now()) as change:
            for number in range(1, 10):
                change.people.add(f"E{number}", department="rd", clearances=[Clearance("state", Level.SECRET, "", "x")])
            for officer, uid in OFFICERS.items():
                change.accounts.add(uid, officer)
            change.badges.add("4660", "E1")
            scope = Scope(departments=frozenset({"rd"}))
            end = self.site.now() + timedelta(days=3650)
            change.areas.add(
                "plans", path="/srv/plans", level=Level.SECRET, domain="state", scope=scope, custodian="E1",
                secret_until=end,
            )  # fmt: skip
            self.grant = change.grants.add("E1", "plans", reason="项目甲", approver="E8")

    @property
    def told(self) -> list[tuple[str, str, int]]:
        return self.followed.revoked

    @property
    def holds(self) -> list[tuple[str, str, int]]:
        return self.followed.started

    def do(self, op: str, person: str = "E1", officer: str = "E8", pid: int = STRANGER_PID, **args: Any) -> Any:
        given = {"person": person, **args}
        peer = Peer(pid, OFFICERS.get(officer, 62_001), 62_000, frozenset({62_000}))
        args, role = TABLE[op].read(given, None), CallerRole(Role.SECURITY)
        request = HandlerRequest(op, args, given, peer, role, self.site.now(), self.services)
        if TABLE[op].act:
            return self.executor.execute(request)
        table = self.handlers
        return list(table.streams[op](request)) if op in table.streams else table.reads[op](request)

    def approved(self, **how: Any) -> Any:
        self.do("case.open", last_day="2099-12-31", **how)
        return self.do("case.approve")

    def later(self, **time: float) -> None:
        self.site.clock.latest = nanoseconds(self.site.now() + timedelta(**time))

    def verdict(self, person: str = "E1") -> Verdict:
        _, facts = self.site.facts.facts([person], "plans")
        return decide(Request((person,), "plans"), facts, self.site.pack(), self.site.now())


@pytest.fixture
def fresh() -> Iterator[Site]:
    """A site whose control process is the test."""
    with folder() as root, running(root / "home", control=False) as site:
        yield site


@contextmanager
def office_of(site: Site, pack: str = "minimal") -> Iterator[Office]:
    site.stop_control()
    site.home.pack.write_text(shipped_packs.text(pack), encoding="utf-8")
    with open_services(site.home, DeciderConnection(channel.ChannelClient(site.control_end)), None) as services:
        yield Office(services)


@pytest.fixture
def office(fresh: Site) -> Iterator[Office]:
    with office_of(fresh) as found:
        yield found


@pytest.fixture
def company(fresh: Site) -> Iterator[Office]:
    with office_of(fresh, "company") as found:
        yield found


def test_the_last_approval_ends_all_access_in_its_own_transaction_and_is_told_when_acknowledged(
    office: Office, fresh: Site
) -> None:
    assert office.verdict().allow
    opened = office.do("case.open", last_day="2099-12-31")
    assert (opened["case"], opened["step"]) == ("C000001", "notice")
    assert office.verdict().allow
    assert office.told == []
    result = office.do("case.approve")
    assert (result["step"], result["grants_ended"], result["revoked"]) == ("approved", [office.grant], True)
    assert office.verdict().rule == "departure"
    assert office.told == [("E1", "C000001", result["epoch"])]
    assert office.verdict("E2").rule == "grant"
    [entry] = fresh.entries(act="case.approve")
    assert entry["epoch"] == result["epoch"]
    assert entry["args"] == {
        "person": "E1", "case": "C000001", "step": "approved", "grants_ended": ["G000001"], "circles_left": [],
    }  # fmt: skip


def test_five_approve_in_order_each_once_and_none_of_them_leaves(company: Office) -> None:
    company.do("case.open", last_day="2099-12-31")
    for by, role in (("E2", "部门部长"), ("E3", "administration"), ("E4", ""), ("E5", "vice president in charge")):
        company.do("case.approve", by=by, **({"as": role} if role else {}))
    for by, said in (("E5", "has approved this case already"), ("E1", "own departure"), ("E77", "no person `E77`")):
        with pytest.raises(RefusedError, match=said):
            company.do("case.approve", by=by)
    with pytest.raises(RefusedError, match="`general_manager` comes first"):
        company.do("case.approve", by="E6", **{"as": "head"})
    assert company.told == []
    assert company.do("case.status")["step"] == "approval"
    company.do("case.approve", by="E6", opinion="同意")
    assert [person for person, _, _ in company.told] == ["E1"]
    shown = company.do("case.show")
    assert [(a["role"], a["by"]) for a in shown["approvals"]] == [
        ("head", "E2"), ("administration", "E3"), ("administration_head", "E4"), ("deputy", "E5"),
        ("general_manager", "E6"),
    ]  # fmt: skip
    assert shown["approvals"][-1]["opinion"] == "同意"


def test_an_officer_does_nothing_in_his_own_case_not_even_in_the_name_of_another(company: Office) -> None:
    with pytest.raises(RefusedError, match="own departure"):
        company.do("case.open", "E8", last_day="2099-12-31")
    company.do("case.open", "E8", "E9", last_day="2099-12-31")
    moves: list[tuple[str, dict[str, Any]]] = [
        ("case.approve", {"by": "E2"}),
        ("case.return", {"by": "E2", "reason": "x"}),
        ("case.add-line", {"line": "x", "what": "x", "to": "x"}),
        ("case.rescind", {"reason": "x"}),
        ("case.hand-over", {"by": "E2", "line": "keys"}),
        ("case.educate", {"by": "E2"}),
        ("case.exam", {"by": "E2"}),
        ("case.sign", {"by": "E2", "document": "pledge"}),
        ("case.cool-off", {"by": "E2", "none": True, "reason": "x"}),
        ("case.papers", {"by": "E2"}),
        ("case.close", {"by": "E2"}),
        ("case.restore", {"grant": "G000001"}),
    ]
    for op, args in moves:
        with pytest.raises(RefusedError, match="own departure"):
            company.do(op, "E8", "E8", **args)
    assert company.do("case.status", "E8")["step"] == "notice"


def test_from_notice_to_the_end_of_the_cooling_off_period(company: Office) -> None:
    company.do("case.open", last_day="2099-12-31", reason="退休", kind="retirement", reference="HR-1")
    for by in ("E2", "E3", "E4", "E5", "E6"):
        company.do("case.approve", by=by)
    company.do("case.add-line", line="laptop", what="笔记本电脑", to="信息科技部")
    lines = [item["key"] for item in company.do("case.show")["items"]]
    assert lines == [
        "work", "papers", "passwords", "badge", "keys", "devices", "media", "badge-4660", "custody-plans", "laptop",
    ]  # fmt: skip
    for line in lines[1:]:
        company.do("case.hand-over", line=line, by="E7")
    company.do("case.educate")
    company.do("case.exam", failed=True)
    company.do("case.exam")
    for document in ("agreement", "pledge", "bilateral"):
        company.do("case.sign", document=document)
    with pytest.raises(UsageError):
        company.do("case.cool-off")
    company.do("case.cool-off", until=(company.site.now() + timedelta(days=30)).isoformat())
    assert company.verdict().rule == "cooling-off"
    with pytest.raises(RefusedError, match="still owed: hand-over"):
        company.do("case.papers")
    company.do("case.hand-over", line="work")
    company.do("case.papers")
    with pytest.raises(RefusedError, match="cooling-off period runs until"):
        company.do("case.close")
    company.later(days=30)
    assert company.do("case.close")["step"] == "closed"
    assert company.verdict().rule == "departure"
    assert company.do("case.list", person="") == []
    assert [row["step"] for row in company.do("case.list", person="", all=True)] == ["closed"]
    shown = json.loads(json.dumps(company.do("case.show", "C000001")))
    assert (shown["kind"], shown["reason"], shown["reference"]) == ("retirement", "退休", "HR-1")
    assert [exam["passed"] for exam in shown["exams"]] == [False, True]
    assert shown["items"][0]["done_by"] == "E8"
    assert (shown["owed"], shown["next"]) == ([], [])


def test_what_was_sent_back_is_handed_in_again(company: Office) -> None:
    company.do("case.open", last_day="2099-12-31")
    company.do("case.approve", by="E2")
    company.do("case.return", by="E3", reason="form incomplete")
    with pytest.raises(RefusedError, match="not possible now"):
        company.do("case.approve", by="E2")
    assert company.do("case.open", last_day="2099-11-30")["step"] == "notice"
    assert [a["by"] for a in company.do("case.show")["approvals"]] == [None] * 5
    with pytest.raises(RefusedError, match="case C000001 of `E1` is running"):
        company.do("case.open", last_day="2099-12-31")


@pytest.mark.parametrize("kind", ["unfit", "unauthorised"])
def test_some_kinds_end_access_when_the_case_is_opened(company: Office, kind: str) -> None:
    result = company.do("case.open", last_day="2026-01-01", kind=kind)
    assert result["step"] == "approved"
    assert company.told == [("E1", "C000001", result["epoch"])]
    assert company.verdict().rule == "departure"


def test_a_transferred_person_starts_anew_when_the_case_is_closed(office: Office) -> None:
    office.approved(kind="transfer", department="archive", post="keeper")
    assert office.verdict().rule == "departure"
    office.do("case.cool-off", none=True, reason="stays with secrets")
    office.do("case.hand-over", line="x") if office.do("case.show")["items"] else None
    office.do("case.close")
    assert office.verdict().rule == "scope"
    dossier = office.site.lists.people.dossier("E1")
    assert (dossier["department"], dossier["post"]) == ("archive", "keeper")
    with office.services.registry.change(office.site.now()) as change:
        change.people.set("E1", department="rd")
    assert office.verdict().rule == "grant"


def test_rescinding_an_approval_takes_two_officers_and_restores_nothing_by_itself(office: Office) -> None:
    office.approved()
    assert office.do("case.rescind", reason="wrong person")["step"] == "approved"
    with pytest.raises(RefusedError, match="second officer"):
        office.do("case.rescind", reason="really")
    assert office.verdict().rule == "departure"
    assert office.do("case.rescind", officer="E9", reason="so it is")["step"] == "rescinded"
    assert office.verdict().rule == "hold"
    lift_by_two(office)
    assert office.verdict().rule == "grant"
    assert office.do("case.restore", grant=office.grant)["given"] == ""
    with pytest.raises(RefusedError, match="second officer"):
        office.do("case.restore", grant=office.grant)
    assert not office.verdict().allow
    assert office.do("case.restore", officer="E9", grant=office.grant)["given"] == "G000002"
    assert office.verdict().allow
    with pytest.raises(RefusedError, match="none that this case can give again"):
        office.do("case.restore", grant="G000002")


def lift_by_two(office: Office) -> None:
    """Lift the hold that a rescission left, and see that one officer cannot; another hold needs no second."""
    office.do("hold.add", reason="one more")
    [left, plain] = [hold["id"] for hold in office.site.lists.holds.find("E1")]
    with (
        pytest.raises(RefusedError, match="lifted by two officers, and this is the first"),
        office.services.registry.change(office.site.now()) as change,
    ):
        change.holds.lift(left, by="E8")
    asked = office.do("hold.lift", reason="back")
    assert (asked["holds"], asked["waiting"]) == ([plain], [left])
    with pytest.raises(RefusedError, match="second officer, and `E8` is the first"):
        office.do("hold.lift", reason="back")
    assert office.verdict().rule == "hold"
    lifted = office.do("hold.lift", officer="E9", reason="back")
    assert (lifted["holds"], lifted["waiting"]) == ([left], [])


def test_a_notice_is_rescinded_by_one_and_nothing_was_taken(office: Office) -> None:
    office.do("case.open", last_day="2099-12-31")
    assert office.do("case.rescind", reason="stays")["step"] == "rescinded"
    assert office.verdict().allow
    assert office.do("case.open", last_day="2099-12-31")["case"] == "C000002"


def test_somebody_who_left_approves_nothing_any_more(company: Office) -> None:
    company.do("case.open", "E2", last_day="2026-01-01", kind="unfit")
    company.do("case.open", last_day="2099-12-31")
    with pytest.raises(RefusedError, match="`E2` has left"):
        company.do("case.approve", by="E2")
    with company.services.registry.change(company.site.now()) as change:
        change.people.set("E3", active=False)
    with pytest.raises(RefusedError, match="`E3` is inactive"):
        company.do("case.approve", by="E3")


def out(office: Office, person: str, how: str) -> None:
    """Put *person* out of office."""
    if how == "leaving":
        office.do("case.open", person, "E8" if person != "E8" else "E9", last_day="2026-01-01", kind="unfit")
    with office.services.registry.change(office.site.now()) as change:
        if how == "on hold":
            change.holds.add(person, reason="x")
        elif how == "inactive":
            change.people.set(person, active=False)


OUT = ("on hold", "inactive", "leaving")


@pytest.mark.parametrize("how", OUT)
def test_an_officer_who_is_out_of_office_does_nothing_at_all(administrator: Office, fresh: Site, how: str) -> None:
    administrator.approved()
    assert administrator.do("case.status")["step"] == "confirmation"
    administrator.do("case.open", "E2", last_day="2099-12-31")
    out(administrator, "E9", how)
    for op, person in (("case.confirm", "E1"), ("case.approve", "E2"), ("case.rescind", "E1")):
        with pytest.raises(ForbiddenError, match="acts for nobody"):
            administrator.do(op, person, "E9", **({"reason": "x"} if op == "case.rescind" else {}))
    assert administrator.do("case.status")["step"] == "confirmation"
    assert administrator.do("case.status", "E2")["step"] == "notice"
    assert [entry["act"] for entry in fresh.entries(outcome="forbidden")] == [
        "case.confirm", "case.approve", "case.rescind",
    ]  # fmt: skip
    assert administrator.do("case.approve", "E2")["step"] == "approved"


@pytest.mark.parametrize("how", OUT)
def test_an_approver_in_the_personnel_system_who_is_out_of_office_does_not_count(office: Office, how: str) -> None:
    out(office, "E2", how)
    with pytest.raises(RefusedError, match="nobody who approved it is in office: `E2`"):
        notice(office, "E2")
    assert notice(office, "E2", "E3")["step"] == "approved"
    assert [place["by"] for place in office.do("case.show")["approvals"]] == ["E3"]


def notice(office: Office, *approvers: str, pid: int = os.getpid(), person: str = "E1", **how: Any) -> Any:
    told = {"approver": list(approvers), "last_day": "2099-12-31", "reference": "HR-7", **how}
    return office.do("case.notice", person, "nobody", pid, **told)


def test_a_notice_of_the_personnel_system_opens_and_approves_in_one(fresh: Site) -> None:
    with office_of(fresh, "state") as state:
        for approvers, said in ((["E2"], "asks for 2"), (["E2", "E1"], "own departure"), (["E2", "E2"], "already")):
            with pytest.raises(RefusedError, match=said):
                notice(state, *approvers)
        with pytest.raises(RefusedError, match="no person `E77`"):
            notice(state, "E2", "E3", person="E77")
        assert state.do("case.list", person="", all=True) == []
        result = notice(state, "E2", "E3")
        assert (result["step"], result["revoked"]) == ("approved", True)
        assert state.verdict().rule == "departure"
        again = notice(state, "E4", "E5")
        assert (again["already"], again["case"]) == (True, "C000001")
        assert len(state.told) == 1
        assert state.do("case.show")["reference"] == "HR-7"


def test_a_notice_for_a_case_that_an_officer_opened_brings_its_number_with_it(office: Office) -> None:
    office.do("case.open", last_day="2099-12-31")
    assert notice(office, "E2")["step"] == "approved"
    assert office.do("case.show")["reference"] == "HR-7"


def test_a_transfer_that_says_not_where_it_leads_ends_access_all_the_same(office: Office) -> None:
    assert notice(office, "E2", kind="transfer")["step"] == "approved"
    assert office.verdict().rule == "departure"


def test_who_leaves_after_a_transfer_is_gone_by_a_case_of_its_own(office: Office) -> None:
    notice(office, "E2", kind="transfer", post="archivist")
    assert notice(office, "E2", kind="transfer")["already"]
    left = notice(office, "E2", kind="resignation", reference="HR-8")
    assert (left["case"], left["step"], left["revoked"]) == ("C000002", "approved", True)
    assert office.verdict().rule == "departure"
    assert [(case["kind"], case["step"]) for case in office.do("case.list", person="", all=True)] == [
        ("transfer", "closed"),
        ("resignation", "approved"),
    ]
    assert notice(office, "E2", kind="transfer")["already"]


def test_what_a_notice_says_of_the_class_and_the_cooling_off_period_stands_in_the_case_and_shortens_nothing(
    fresh: Site,
) -> None:
    first, second = "2028-12-31T16:00:00Z", "2029-12-31T16:00:00Z"
    with office_of(fresh, "state") as state:
        told = notice(state, "E2", "E3", **{"class": "核心", "cooling_off_until": first})
        assert (told["cooling_off_until"], "cooling-off" in str(told["owed"])) == (first, False)
        shown = state.do("case.show")
        assert (shown["printed_class"], shown["needs_period"], shown["period"]["by"]) == ("核心", True, "hr")
        assert state.verdict().rule == "cooling-off"
        longer = notice(state, "E2", "E3", cooling_off_until=second)
        assert (longer["cooling_off_until"], longer["already"], len(state.told)) == (second, True, 1)
        for shorter in (first, "2026-01-01"):
            assert notice(state, "E2", "E3", cooling_off_until=shorter)["cooling_off_until"] == second
        assert state.do("case.show")["printed_class"] == "核心"
        with pytest.raises(RefusedError, match="cooling-off period ends after"):
            state.do("case.cool-off", until=first)
        assert notice(state, "E2", "E3", person="E4", cooling_off_until="2026-01-01")["cooling_off_until"] is None
        assert "cooling-off" in str(state.do("case.show", "E4")["owed"])


@pytest.mark.parametrize(("came", "opened"), [("resignation", "transfer"), ("transfer", "resignation")])
def test_a_notice_of_the_other_sort_is_carried_out_as_what_it_says(office: Office, came: str, opened: str) -> None:
    office.do(
        "case.open", last_day="2099-12-31", kind=opened, **({"post": "archivist"} if opened == "transfer" else {})
    )
    assert notice(office, "E2", kind=came)["case"] == "C000002"
    assert [(case["kind"], case["step"], case["owed"]) for case in office.do("case.list", person="", all=True)] == [
        (opened, "rescinded", []),
        (came, "approved", [{"duty": "cooling-off", "text": CaseDuty.COOLING_OFF.text.to_json()}]),
    ]


def transferred(office: Office) -> None:
    office.do("case.open", last_day="2099-12-31", kind="transfer", post="archivist")
    while office.do("case.status")["step"] != "approved":
        left = [place["role"] for place in office.do("case.show")["approvals"] if not place["by"]]
        office.do("case.approve", by=f"E{7 - len(left)}")


def test_an_officer_opens_a_departure_beside_a_transfer_which_goes_on_until_the_last_approval_overtakes_it(
    company: Office, fresh: Site
) -> None:
    transferred(company)
    assert company.do("case.open", last_day="2099-12-31")["case"] == "C000002"
    assert (company.do("case.status")["case"], company.verdict().rule) == ("C000002", "departure")
    company.do("case.educate", person="C000001")
    for approver in ("E2", "E3", "E4", "E5"):
        assert "overtakes" not in company.do("case.approve", by=approver)
        assert company.do("case.status", person="C000001")["step"] == "approved"
        assert company.verdict().rule == "departure"
    assert company.do("case.approve", by="E6")["overtakes"] == "C000001"
    [*_, entry] = fresh.entries(act="case.approve", outcome="done")
    assert entry["args"]["overtakes"] == "C000001"  # type: ignore[index]
    assert company.verdict().rule == "departure"
    [transfer, leaves] = company.do("case.list", person="", all=True)
    assert (transfer["step"], transfer["owed"], transfer["next"]) == ("closed", [], [])
    assert company.do("case.show", person="C000001")["closed"]["reason"] == "resignation"
    assert (leaves["step"], len(leaves["owed"])) == ("approved", 5)


def test_a_transfer_that_is_closed_ends_nothing_more_and_until_then_is_shown_where_a_grant_ended(
    office: Office,
) -> None:
    transferred(office)
    running = trigger_of(office.site, "C000001")
    assert (running.cause, running.tries, running.over) == (Cause.TRANSFER, {"plans"}, None)
    office.do("case.cool-off", none=True, reason="x")
    office.do("case.close")
    office.do("grant.add", area="plans", reason="new post")
    assert office.verdict().allow
    closed = trigger_of(office.site, "C000001")
    assert closed.over
    assert "closed" in closed.over.en


def test_who_goes_without_leave_overtakes_his_transfer_at_once(office: Office) -> None:
    transferred(office)
    assert office.do("case.open", last_day="2099-12-31", kind="unauthorised")["overtakes"] == "C000001"
    assert [case["case"] for case in office.do("case.list", person="")] == ["C000002"]
    assert office.told[-1][:2] == ("E1", "C000002")


def test_a_departure_that_was_not_approved_leaves_the_transfer_as_it_was(office: Office) -> None:
    transferred(office)
    office.do("case.open", last_day="2099-12-31")
    office.do("case.rescind", reason="he stays")
    status = office.do("case.status")
    assert (status["case"], status["step"], office.verdict().rule) == ("C000001", "approved", "departure")


def test_nobody_at_the_socket_can_bring_a_notice(office: Office) -> None:
    with pytest.raises(ForbiddenError, match="only the agent itself"):
        notice(office, "E2", pid=STRANGER_PID)


@pytest.fixture
def administrator(fresh: Site) -> Iterator[Office]:
    """A site where `E1` has an account in the group of the security officers, and the pack asks HR for one approver."""
    account = pwd.getpwnam("daemon")  # every host has one; nothing of it is touched
    fresh.home.config.write_text(f"[roles]\nsecurity = {account.pw_gid}\n", encoding="utf-8")
    with office_of(fresh) as office:
        with office.services.registry.change(office.site.now()) as change:
            change.accounts.add(account.pw_uid, "E1", allow_system=True)
        yield office


def test_an_administrator_loses_access_at_the_last_approval_and_the_case_asks_for_a_second_officer(
    administrator: Office,
) -> None:
    administrator.do("case.open", last_day="2099-12-31")
    result = administrator.do("case.approve")
    assert (result["step"], result["grants_ended"]) == ("confirmation", [administrator.grant])
    assert administrator.verdict().rule == "departure"
    status = administrator.do("case.status")
    assert [step["event"] for step in status["next"]] == ["confirm"]
    assert [(flag["en"], flag["zh"]) for flag in status["flags"]] == [
        (
            "an administrator (security): access is over, processes run until a second officer confirms",
            "当事人是管理员（security）：权限已取消，进程待第二名管理员确认后结束",
        )
    ]
    with pytest.raises(RefusedError, match="this takes a second officer, and `E8` is the first"):
        administrator.do("case.confirm")
    with pytest.raises(RefusedError, match="not possible now"):
        administrator.do("case.cool-off", none=True, reason="x")
    confirmed = administrator.do("case.confirm", officer="E9")
    assert (confirmed["step"], confirmed["revoked"]) == ("approved", True)
    assert administrator.told == [("E1", "C000001", result["epoch"]), ("E1", "C000001", confirmed["epoch"])]
    assert administrator.do("case.show")["confirmation"]["by"] == "E9"
    with pytest.raises(RefusedError, match="not possible now"):
        administrator.do("case.confirm", officer="E9")


def test_who_writes_down_what_another_one_approved_is_not_the_second(administrator: Office) -> None:
    administrator.do("case.open", last_day="2099-12-31")
    administrator.do("case.approve", by="E2")
    with pytest.raises(RefusedError, match="`E8` is the first"):
        administrator.do("case.confirm")
    assert administrator.do("case.confirm", officer="E9")["step"] == "approved"


@pytest.mark.parametrize("kind", ["resignation", "unauthorised"])
def test_two_approvers_inside_a_notice_are_the_two_and_one_is_one(administrator: Office, kind: str) -> None:
    assert notice(administrator, "E2", kind=kind)["step"] == "confirmation"
    assert notice(administrator, "E2")["already"]
    assert administrator.do("case.status")["step"] == "confirmation"
    later = notice(administrator, "E3")
    assert (later["step"], later["revoked"]) == ("approved", True)
    assert len(administrator.told) == 2


@pytest.mark.parametrize("kind", ["resignation", "unauthorised"])
def test_a_notice_with_two_approvers_waits_for_nobody(administrator: Office, kind: str) -> None:
    assert notice(administrator, "E2", "E3", kind=kind)["step"] == "approved"
    assert len(administrator.told) == 1
    assert administrator.site.lists.cases.get("E1").officers >= {"E3"}


def test_a_day_that_is_none_is_usage(office: Office) -> None:
    with pytest.raises(UsageError, match="must be a day such as"):
        office.do("case.open", last_day="soon")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_command_line_of_the_design_works_as_written(
    fresh: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("SHOUMI_LANG", language)

    def shoumi(*words: str) -> tuple[int, str, str]:
        code = main(["--home", str(fresh.home.root), *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    fresh.start_control()
    shoumi("person", "add", "E1001", "--name", "张三")
    assert shoumi("case", "open", "E1001", "--last-day", "2026-12-31")[0] == 0
    code, out, _ = shoumi("case", "status", "E1001")
    assert code == 0
    assert "shoumi case approve E1001 --as officer" in out
    code, out, _ = shoumi("case", "approve", "E1001", "--as", "officer")
    assert (code, ("access is over" in out) or ("权限已取消" in out)) == (0, True)
    assert " ms" in out
    code, out, err = shoumi("case", "papers", "E1001")
    assert (code, out) == (1, "")
    assert {"en": "hint: papers and closing", "zh": "提示: 退工材料与办结"}[language] in err
    assert shoumi("case", "cool-off", "E1001", "--none", "--reason", "x")[0] == 0
    assert shoumi("case", "papers", "E1001")[0] == 0
    for page in (("show", "E1001"), ("status", "C000001"), ("list",)):
        code, out, err = shoumi("case", *page)
        assert (code, err) == (0, "")
        assert "C000001" in out
        code, out, _ = shoumi("case", *page, "--json")
        assert code == 0
        assert json.loads(out)["step"] == "papers"
    code, out, _ = shoumi("case", "close", "E1001", "--json")
    assert json.loads(out)["step"] == "closed"
    code, _, err = shoumi("case", "list")
    assert {"en": "no departures", "zh": "没有离岗办理"}[language] in err


def test_the_plan_of_a_case_is_asked_for_by_person_or_by_number(fresh: Site) -> None:
    fresh.start_control()
    with fresh.client() as agent:
        agent.call("person.add", person="E7", name="钱七")
        case = agent.call("case.open", person="E7", last_day="2099-12-31")["case"]
        assert agent.call("case.plan", person=case) == agent.call("case.plan", person="E7")
        with pytest.raises(RefusedError):
            agent.call("case.plan", person="C999999")
