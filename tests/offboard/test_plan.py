"""The plan says what ends, who else is touched and what cannot be undone, and ends nothing by being made."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agent.offboard import proof
from agent.offboard.context import Account, RevocationSubject
from agent.offboard.freezing import vetted
from agent.offboard.plan import Cause, PlannedStep, agreed, officers_needed, plan
from agent.offboard.runner import steps_for, survey
from agent.offboard.steps import STEPS
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget, always
from rules.text import Text
from tests import needs
from tests.offboard.host import area, child, context, furnish, leaver, picture
from tests.sentences import en, zh

WHAT = Text("a process", "一个进程")
LOST = Text("it is lost", "将丢失")
ROLES = st.frozensets(st.sampled_from(["system", "security", "auditor"]))
NAMES = st.frozensets(st.sampled_from(["E1001", "E2001", "E2002", ""]))


@given(ROLES, ROLES, NAMES, st.sampled_from([Cause.DEPARTURE, Cause.TRANSFER]))
def test_a_privileged_leaver_needs_two_officers_and_is_none_of_them(
    roles: frozenset[str], sole: frozenset[str], officers: frozenset[str], cause: Cause
) -> None:
    who = RevocationSubject("E1001", roles=roles, sole=sole)
    needed = 2 if roles or sole else 1
    assert officers_needed(who, cause) == plan(who, cause, ()).officers == needed
    assert agreed(who, cause, officers) == (len(officers - {"E1001", ""}) >= needed)


def test_the_same_officer_twice_is_one() -> None:
    assert not agreed(RevocationSubject("E1001", roles=frozenset({"auditor"})), Cause.DEPARTURE, ["E2001", "E2001"])


def test_a_hold_waits_for_no_second_officer_and_the_end_of_a_grant_for_none_at_all() -> None:
    who = RevocationSubject("E1001", roles=frozenset({"auditor"}))
    assert agreed(who, Cause.HOLD, ["E2001"])
    assert not agreed(who, Cause.HOLD, ["E1001"])
    assert agreed(who, Cause.EXPIRY, [])


def test_the_last_of_a_role_and_system_accounts_are_said_beforehand() -> None:
    who = RevocationSubject("E1001", (Account(33), Account(62400)), frozenset({"auditor"}), frozenset({"auditor"}))
    said = "\n".join(en(notice) for notice in plan(who, Cause.DEPARTURE, ()).notices)
    assert "two officers" in said
    assert "no other account holds the role auditor" in said
    assert "uid 33" in said
    assert "uid 62400" not in said
    assert en(plan(RevocationSubject("E1002"), Cause.HOLD, ()).notices[0]).startswith("no account")


def test_irreversible_is_what_lasts_and_is_there() -> None:
    step = PlannedStep("x", WHAT, (StepTarget(WHAT), StepTarget(WHAT, Text("somebody", "某人"))), LOST)
    assert step.irreversible
    assert not PlannedStep("x", WHAT, (), LOST).irreversible
    assert not PlannedStep("x", WHAT, (StepTarget(WHAT),), LOST, skipped=WHAT).irreversible
    assert not PlannedStep("x", WHAT, (StepTarget(WHAT),)).irreversible


def test_a_plan_can_be_sent_as_json() -> None:
    step = PlannedStep("x", WHAT, (StepTarget(WHAT, LOST),), LOST)
    record = json.loads(json.dumps(plan(RevocationSubject("E1001", (Account(62400),)), Cause.HOLD, [step]).to_json()))
    assert record["cause"] == "hold"
    assert record["steps"][0]["targets"] == [{"what": WHAT.to_json(), "other": LOST.to_json()}]
    assert record["steps"][0]["lasting"] == LOST.to_json()


def test_every_step_has_a_name_of_its_own_and_speaks_both_languages() -> None:
    assert len({step.id for step in STEPS}) == len(STEPS)
    for step in STEPS:
        assert en(step.title)
        assert zh(step.title)


def test_leaving_ends_everything_and_staying_only_what_holds_files() -> None:
    leaving = [step.id for step in steps_for(Cause.DEPARTURE)]
    assert leaving[:3] == ["deny", "processes", "samba"]
    assert leaving.index("timers") < leaving.index("processes-again") < leaving.index("acl")
    for cause in (Cause.HOLD, Cause.EXPIRY, Cause.TRANSFER):
        assert [step.id for step in steps_for(cause)] == ["deny", "holders", "samba", "sessions"]


def test_doors_come_first_and_the_proof_last() -> None:
    def run(_leaver: RevocationSubject, _context: object, _case: str) -> StepResult:
        return StepResult(StepState.DONE, WHAT)

    door = RevocationStep("door", WHAT, always, lambda _leaver, _context: (), run, alongside=True)
    proof = RevocationStep("proof", WHAT, always, lambda _leaver, _context: (), run)
    ids = [step.id for step in steps_for(Cause.DEPARTURE, [proof, door])]
    assert (ids[0], ids[-1]) == ("door", "proof")


def test_who_goes_and_who_stays_are_proven_gone_in_their_own_ways() -> None:
    for cause in (Cause.DEPARTURE, Cause.TRANSFER, Cause.HOLD, Cause.EXPIRY):
        [proven] = [step for step in steps_for(cause, proof.STEPS) if step.id == "proof"]
        assert proven is (proof.STEP if cause is Cause.DEPARTURE else proof.STAYING)
    assert [step.id for step in steps_for(Cause.RESTORED, proof.STEPS)] == ["acl-back"]


def test_accounts_that_are_no_ordinary_ones_are_left_out() -> None:
    who = RevocationSubject("E1001", tuple(Account(uid) for uid in (0, 33, 62400, 65534, 2**31)))
    assert vetted(who).uids == (62400,)


@given(st.lists(st.integers(0, 2**32 - 1)), ROLES, ROLES)
def test_a_leaver_survives_the_journal(uids: list[int], roles: frozenset[str], sole: frozenset[str]) -> None:
    accounts = tuple(Account(uid, (f"u{uid}",), f"/home/{uid}") for uid in uids)
    who = RevocationSubject("E1001", accounts, roles, sole, frozenset({"plans", *roles}))
    assert RevocationSubject.from_json(json.loads(json.dumps(who.to_json()))) == who


@needs.root
def test_a_survey_sees_what_a_run_would_end_and_changes_nothing(tmp_path: Path, uid: int) -> None:
    furnish(tmp_path, uid)
    place = area(tmp_path, uid)
    here = context(tmp_path, areas=lambda: [place])
    before = picture(tmp_path)
    with child(uid, uid) as one, child(0, uid) as root:
        found = survey(leaver(tmp_path, uid), here, Cause.DEPARTURE)
        assert one.alive
        assert root.alive
    assert picture(tmp_path) == before
    steps = {step.id: step for step in found.steps}
    assert [step.id for step in found.steps] == [step.id for step in steps_for(Cause.DEPARTURE)]
    assert len(steps["processes"].targets) == 2
    assert sum(target.affected is not None for target in steps["processes"].targets) == 1
    assert steps["processes"].irreversible
    for name in ("cron", "at", "timers", "keys", "account", "tickets", "acl", "deny"):
        assert steps[name].targets, name
        assert not steps[name].irreversible
    assert steps["sessions"].skipped is not None


def test_a_step_that_cannot_look_is_planned_all_the_same(tmp_path: Path) -> None:
    def broken(_leaver: RevocationSubject, _context: object) -> tuple[StepTarget, ...]:
        raise PermissionError("no")

    def run(_leaver: RevocationSubject, _context: object, _case: str) -> StepResult:
        return StepResult(StepState.DONE, WHAT)

    found = survey(
        RevocationSubject("E1001"), context(tmp_path), Cause.HOLD, [RevocationStep("blind", WHAT, always, broken, run)]
    )
    assert found.steps[-1] == PlannedStep("blind", WHAT)
    assert en(found.to_json()["steps"][-1]["nothing"]) == "not known at the moment"


@needs.root
def test_a_step_that_finds_nothing_to_end_says_so_and_one_that_does_says_what(tmp_path: Path, uid: int) -> None:
    here = context(tmp_path, devices=lambda: frozenset({1}))
    said = {step["id"]: step["nothing"] for step in survey(leaver(tmp_path, uid), here, Cause.HOLD).to_json()["steps"]}
    assert said["holders"] == {"code": "offboard.no-holder-process", "parameters": {}}
    assert en(said["holders"]) == "no process holds classified files now"
    assert zh(said["holders"]) == "目前没有进程持有涉密文件"
    assert said["deny"] is None
    processes = {step.id: step for step in survey(leaver(tmp_path, uid), here, Cause.DEPARTURE).steps}["processes"]
    assert en(processes.to_json()["nothing"]) == "nothing to end at the moment"
