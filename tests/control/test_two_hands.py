"""What gives access takes two people, whatever the act is called and whoever is named in it (contract C12)."""

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from agent.api.operations import TABLE
from agent.api.peers import Peer, PinnedProcess
from agent.api.roles import CallerRole, Role
from agent.control.dispatch import HandlerRequest
from agent.errors import ForbiddenError, RefusedError, ShoumiError, UsageError
from agent.presentation import gains
from agent.registry.rows.settings import ROLES
from agent.runtime.config import RoleGroups
from agent.site.role_groups import stored
from rules.model import Clearance, Level
from tests.control.conftest import folder
from tests.control.office import Office, office_of
from tests.control.site import Site, running
from tests.sentences import en

GROUPS = {Role.SYSTEM: 62_991, Role.SECURITY: 62_992, Role.AUDITOR: 62_993}
# Accounts that no host has, so that nothing but the process says which groups they are in.
SYSTEM, SECURITY, OTHER_SECURITY = ("E7", 62_007), ("E8", 62_008), ("E9", 62_009)
ROLE_OF = {SYSTEM: Role.SYSTEM, SECURITY: Role.SECURITY, OTHER_SECURITY: Role.SECURITY}


class Desk:
    """The office after its trial, and who calls it."""

    def __init__(self, office: Office, *, again: bool = False) -> None:
        self.office = office
        if again:
            return
        with office.services.registry.change(office.site.now()) as change:
            change.accounts.add(SYSTEM[1], "E7")
            change.people.add("N1", name="nobody yet")
            change.settings.set(ROLES, stored(RoleGroups(**{role.value: gid for role, gid in GROUPS.items()})))

    def call(
        self,
        op: str,
        who: tuple[str, int] = SECURITY,
        role: Role | None = None,
        login: int | None = None,
        process: PinnedProcess | None = None,
        asked: Role | None = None,
        **given: Any,
    ) -> Any:
        office, acts = self.office, role or ROLE_OF[who]
        peer = Peer(1, who[1], GROUPS[acts], frozenset({GROUPS[acts]}), login, process=process)
        args = TABLE[op].read(given, None)
        partner = frozenset({Role.SYSTEM, Role.SECURITY})
        request = HandlerRequest(
            op, args, given, peer, CallerRole(acts), office.site.now(), office.services, partner=partner,
            roles_needed=[frozenset({asked})] if asked else [],
        )  # fmt: skip
        if TABLE[op].act:
            return office.executor.execute(request)
        table = office.handlers
        return list(table.streams[op](request)) if op in table.streams else table.reads[op](request)

    def person(self, op: str, who: tuple[str, int], login: int | None = None, **given: Any) -> Any:
        """Call as somebody without a role."""
        office = self.office
        peer = Peer(1, who[1], who[1], frozenset(), login)
        args, role = TABLE[op].read(given, None), CallerRole(None)
        request = HandlerRequest(op, args, given, peer, role, office.site.now(), office.services)
        return office.executor.execute(request) if TABLE[op].act else office.handlers.reads[op](request)

    def denied(self, person: str, path: str) -> None:
        """Have a denial of *person* recorded."""
        fields = {
            "kind": "access",
            "action": "open",
            "verdict": "deny",
            "person": person,
            "area": "plans",
            "path": path,
        }
        self.office.services.decider.append(fields)

    def entry(self, **wanted: Any) -> dict[str, Any]:
        return self.site_entries(**wanted)[-1]

    def site_entries(self, **wanted: Any) -> list[dict[str, Any]]:
        from agent.demo.record import LogPosition

        found = LogPosition(self.office.site.home.log).fresh()
        return [one for one in found if all(one.get(key) == value for key, value in wanted.items())]


@pytest.fixture
def alone() -> Iterator[Site]:
    """A site whose control process is the test."""
    with folder() as root, running(root / "home", control=False) as site:
        yield site


@pytest.fixture
def desk(alone: Site) -> Iterator[Desk]:
    with office_of(alone) as office:
        yield Desk(office)


def test_a_grant_waits_for_a_second_person_and_gives_nothing_until_then(desk: Desk) -> None:
    answer = desk.call("grant.add", person="E2", area="plans", reason="项目")
    assert answer["waiting"]
    assert answer["would"]["first"] == [{"person": "E2", "areas": ["plans"], "rooms": [], "uids": []}]
    assert not desk.office.verdict("E2").allow
    done = desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"])
    assert desk.office.verdict("E2").allow
    assert (done["act"], done["proposal"]) == ("grant.add", answer["proposal"])
    entry = desk.entry(kind="act", act="grant.add")
    assert entry["outcome"] == "done"
    assert entry["actor"]["person"] == "E7"
    assert entry["hands"]["proposed_by"]["person"] == "E8"
    [row] = desk.call("proposal.list", all=True)
    assert (row["outcome"], row["ended_by"]) == ("confirmed", "E7")


@pytest.mark.parametrize(
    ("who", "how"),
    [
        (SECURITY, {}),  # the same account
        (("E8", 62_008), {"role": Role.SYSTEM}),  # the same account in another role
        (OTHER_SECURITY, {}),  # two of one role
        (SYSTEM, {"login": 62_008}),  # from the login of who proposed it
        (SYSTEM, {"login": 0}),
        (("?", 62_050), {"role": Role.SYSTEM}),  # an account of nobody
        (SYSTEM, {"role": Role.AUDITOR}),
    ],
)
def test_nobody_else_is_the_second_hand(alone: Site, who: tuple[str, int], how: dict[str, Any]) -> None:
    with office_of(alone, "state") as office:
        desk = Desk(office)
        desk.call("person.set", SECURITY, person="E2", level=["state=top-secret"])
        [row] = desk.call("proposal.list")
        with pytest.raises((ForbiddenError, RefusedError)):
            desk.call("proposal.confirm", who, proposal=row["id"], **how)
        assert desk.call("proposal.list") == [row]


def test_the_same_human_by_another_account_is_no_second_hand(desk: Desk) -> None:
    with desk.office.services.registry.change(desk.office.site.now()) as change:
        change.accounts.add(62_060, "E8")
    answer = desk.call("grant.add", person="E2", area="plans", reason="项目")
    with pytest.raises(ForbiddenError, match="E8"):
        desk.call("proposal.confirm", ("E8", 62_060), role=Role.SYSTEM, proposal=answer["proposal"])


def test_whoever_gains_neither_proposes_nor_confirms(desk: Desk) -> None:
    with pytest.raises((ForbiddenError, RefusedError)):
        desk.call("grant.add", SECURITY, person="E8", area="plans", reason="x")
    with pytest.raises(ForbiddenError, match="E8"):
        desk.call("area.set", SECURITY, area="plans", person=["E8"])
    answer = desk.call("grant.add", SECURITY, person="E7", area="plans", reason="x")
    with pytest.raises((ForbiddenError, RefusedError)):
        desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"])
    assert not desk.office.verdict("E7").allow


@pytest.mark.parametrize("out", ["E8", "E7"])
def test_a_hand_that_is_out_of_office_by_then_does_not_count(desk: Desk, out: str) -> None:
    answer = desk.call("grant.add", person="E2", area="plans", reason="x")
    desk.call("hold.add", OTHER_SECURITY, person=out, reason="x")
    with pytest.raises((ForbiddenError, RefusedError), match=out):
        desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"])


def test_a_name_that_is_typed_is_a_paper_and_never_a_hand(desk: Desk) -> None:
    with pytest.raises(UsageError, match=r"control.paper-number-required.*E7"):
        desk.call("grant.add", person="E2", area="plans", reason="x", approver="E7")
    with pytest.raises(RefusedError, match=r"control.own-approval-not-allowed"):
        desk.call("grant.add", person="E2", area="plans", reason="x", approver="E2", paper="1")
    with pytest.raises(RefusedError, match=r"registry.not-found.*boss"):
        desk.call("grant.add", person="E2", area="plans", reason="x", approver="boss", paper="1")
    signed = {"approver": "E7", "paper": "密批〔2026〕3号", "paper_date": "2026-11-01"}
    answer = desk.call("grant.add", person="E2", area="plans", reason="x", **signed)
    desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"])
    [grant] = desk.call("grant.list", person="E2")
    assert (grant["approver"], grant["paper_by"], grant["paper"]) == ("E7", "E7", "密批〔2026〕3号")
    entry = desk.entry(act="grant.add")
    assert entry["args"]["signed_on_paper"] == {"by": "E7", "reference": "密批〔2026〕3号", "on": "2026-11-01"}
    assert entry["changes"][0]["after"]["person"] == "E2"


def test_an_import_is_one_proposal_with_its_whole_difference(desk: Desk) -> None:
    rows = "\n".join(f"N{number},甲{number},rd,secret,state" for number in range(10, 110))
    answer = desk.call("person.import", csv=f"id,name,department,level,domain\n{rows}\n")
    shown = desk.call("proposal.show", SYSTEM, proposal=answer["proposal"])
    names = {row["after"]["id"] for row in shown["changes"] if row["table"] == "people"}
    assert len(names) == 100
    assert shown["changes_more"] == 0
    done = desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"], seen=shown["seen"])
    assert done["people"] == 100
    entry = desk.entry(act="person.import")
    assert len(entry["changes"]) + entry["changes_more"] == 200


def test_whose_process_has_ended_is_no_hand(desk: Desk) -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        process = PinnedProcess(child.pid, os.pidfd_open(child.pid))
        login = process.login_uid()
        if login is not None:
            with desk.office.services.registry.change(desk.office.site.now()) as change:
                change.accounts.add(login, "E8")
        given = {"person": "E2", "area": "plans", "reason": "x"}
        answer = desk.call("grant.add", process=process, login=login, **given)
        child.kill()
    with pytest.raises(ForbiddenError, match=r"rules.caller-process-ended"):
        desk.call("grant.add", process=process, login=login, **given)
    with pytest.raises(ForbiddenError, match=r"rules.caller-process-ended"):
        desk.call("proposal.confirm", SYSTEM, process=process, login=login, proposal=answer["proposal"])
    assert not desk.office.verdict("E2").allow
    assert desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"])["grant"]


def test_whoever_looks_at_what_an_act_would_do_keeps_no_act_waiting(desk: Desk) -> None:
    answer = desk.call("grant.add", person="E2", area="plans", reason="x")
    with desk.office.services.registry.change(desk.office.site.now()) as change:
        shown = desk.call("proposal.show", SYSTEM, proposal=answer["proposal"])
        plan = desk.call("act.plan", act="grant.end", given=json.dumps({"grant": desk.office.grant}))
        change.rollback()
    assert [one["person"] for one in shown["now"]["first"]] == ["E2"]
    assert [one["person"] for one in plan["lost"]] == ["E1"]


def test_what_many_gain_is_told_in_part_and_confirmed_in_whole(desk: Desk) -> None:
    rows = "\n".join(f"N{number},甲{number},rd,secret,state" for number in range(100, 200))
    would = desk.call("person.import", csv=f"id,name,department,level,domain\n{rows}\n")["would"]
    assert (len(would["loosened"]), would["loosened_more"]) == (50, 50)
    *_, last = gains.sentences(would)
    assert en(last).endswith("and 50 more: requirements are lowered")
    other = desk.call("person.import", csv=f"id,name,department,level,domain\n{rows.replace('N199', 'N999')}\n")[
        "would"
    ]
    assert {**other, "all": ""} == {**would, "all": ""}
    assert other["all"] != would["all"]


def test_what_takes_is_done_by_one_hand(desk: Desk) -> None:
    assert desk.call("hold.add", person="E1", reason="x")["hold"]
    assert desk.call("person.set", person="E2", level=["state=internal"])["person"] == "E2"
    assert desk.call("grant.end", grant=desk.office.grant)["grants"]
    assert desk.call("proposal.list") == []


GIVES = [
    ("account.add", SYSTEM, {"person": "E1", "uid": 62_070}),
    ("badge.add", SYSTEM, {"person": "E1", "number": "7"}),
    ("service.add", SYSTEM, {"service": "index", "uid": 62_071, "executable": "/usr/bin/python3", "area": ["plans"]}),
    ("grant.add", SECURITY, {"person": "E2", "area": "plans", "reason": "x"}),
    ("person.set", SECURITY, {"person": "E2", "level": ["state=top-secret"]}),
    ("person.add", SECURITY, {"person": "E20", "level": ["state=secret"]}),
    ("person.add", SYSTEM, {"person": "E20", "level": ["state=secret"], "account": [62_072]}),
    ("area.set", SECURITY, {"area": "plans", "level": "internal"}),
    ("area.set", SECURITY, {"area": "plans", "person": ["E2"]}),
    ("area.observe", SECURITY, {"area": "plans"}),
    ("area.remove", SECURITY, {"area": "plans"}),
    ("role.set", SYSTEM, {"auditor": "62994", "anyway": True}),
    ("pin.set", SYSTEM, {"person": "E1", "pin": "27182818"}),
]


@pytest.mark.parametrize(("op", "who", "given"), GIVES, ids=[f"{op} {n}" for n, (op, _, _) in enumerate(GIVES)])
def test_each_act_that_gives_becomes_a_proposal(
    desk: Desk, op: str, who: tuple[str, int], given: dict[str, Any]
) -> None:
    before = desk.office.site.facts.epoch()
    answer = desk.call(op, who, **given)
    assert answer["waiting"], op
    assert desk.office.site.facts.epoch() == before + 1, "the proposal itself is a change, and the act is none"
    entry = desk.entry(kind="act")
    assert (entry["act"], entry["args"]["act"]) == ("proposal.add", op)
    assert "27182818" not in json.dumps(desk.site_entries(), ensure_ascii=False)
    second = SYSTEM if ROLE_OF[who] is Role.SECURITY else SECURITY
    done = desk.call("proposal.confirm", second, proposal=answer["proposal"])
    assert done["act"] == op


def test_a_secret_does_not_outlive_its_proposal(desk: Desk) -> None:
    answer = desk.call("pin.set", SYSTEM, person="E1", pin="27182818")
    assert desk.call("proposal.list")[0]["given"] == {"person": "E1", "pin": "…"}
    desk.call("proposal.refuse", SECURITY, proposal=answer["proposal"], reason="x")
    [row] = desk.office.site.lists.proposals.find(ended=True)
    assert row["given"] == {"person": "E1", "pin": "…"}


def test_what_would_be_given_is_computed_again_and_must_have_been_seen(desk: Desk) -> None:
    answer = desk.call("area.set", area="plans", level="internal")
    with desk.office.services.registry.change(desk.office.site.now()) as change:
        change.people.add("E30", department="rd", clearances=[Clearance("state", Level.INTERNAL, "", "x")])
        change.grants.add("E30", "plans", reason="x", approver="E9")
    with pytest.raises(RefusedError, match=r"control.grants-differ-from-proposal"):
        desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"])
    shown = desk.call("proposal.show", SYSTEM, proposal=answer["proposal"])
    assert "E30" in [one["person"] for one in shown["now"]["first"]]
    with pytest.raises(RefusedError, match=r"control.grants-differ-from-review"):
        desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"], seen="00000000")
    assert desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"], seen=shown["seen"])["act"] == "area.set"


def test_a_proposal_lapses_and_is_confirmed_by_nobody_afterwards(desk: Desk) -> None:
    answer = desk.call("grant.add", person="E2", area="plans", reason="x")
    desk.office.later(days=8)
    with pytest.raises(RefusedError, match=r"registry.proposal-already-ended.*registry.outcome-lapsed"):
        desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"])


def test_each_officer_refuses_alone_and_who_proposed_withdraws(desk: Desk) -> None:
    first = desk.call("grant.add", person="E2", area="plans", reason="x")["proposal"]
    second = desk.call("grant.add", person="E3", area="plans", reason="x")["proposal"]
    assert desk.call("proposal.refuse", OTHER_SECURITY, proposal=first, reason="no")["outcome"] == "refused"
    assert desk.call("proposal.refuse", SECURITY, proposal=second, reason="no")["outcome"] == "withdrawn"
    for proposal in (first, second):
        with pytest.raises(RefusedError):
            desk.call("proposal.confirm", SYSTEM, proposal=proposal)


def test_nobody_calls_what_only_the_agent_does(desk: Desk) -> None:
    for op, given in (
        ("proposal.add", {"act": "grant.add", "given": "{}"}),
        ("proposal.lapse", {"proposal": "P000001"}),
    ):
        with pytest.raises(ShoumiError):
            desk.call(op, **given)


def test_while_the_site_is_a_trial_one_hand_is_enough_and_each_entry_says_so(alone: Site) -> None:
    with office_of(alone) as office:
        office.do("grant.add", "E2", area="plans", reason="x")
        assert office.verdict("E2").allow
        assert alone.entries(kind="act", act="grant.add")[-1]["hands"] == "one-hand"
